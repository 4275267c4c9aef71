//! The description of the door in OpenAPI 3.1, made of the table of questions and of the types that are sent and answered. It
//! cannot say what is not so: every path, role, parameter and status in it is what the router goes by.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::base::AccessRole;
use crate::http::access::may;
use crate::http::endpoint::{Endpoint, Output};
use crate::http::says::{AS_OF, Ask, Input, Kind, SchemaOf};
use crate::shape::Column;

/// The whole description.
pub fn document<'e>(endpoints: impl Iterator<Item = &'e Endpoint>) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut sent = settings.clone().for_deserialize().into_generator();
    let mut told = settings.for_serialize().into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.to_ascii_lowercase()] = operation(endpoint, &mut sent, &mut told);
    }
    let mut schemas = told.take_definitions(true);
    schemas.extend(sent.take_definitions(true));
    schemas.insert("Problem".to_owned(), problem_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "rosterd",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Rosters, license pools, seats and their books. docs/API.md tells more.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "Made by `rosterd token create`."}},
        },
    })
}

fn operation(endpoint: &Endpoint, sent: &mut SchemaGenerator, told: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": operation_id(endpoint),
        "summary": endpoint.about,
        "tags": [topic(endpoint)],
        "parameters": parameters(endpoint),
        "responses": responses(endpoint, told),
    });
    match endpoint.deed() {
        None => operation["security"] = json!([]),
        Some(deed) => {
            let roles = AccessRole::WORDS.into_iter().filter(|(_, role)| may(*role, deed)).map(|(word, _)| word);
            operation["description"] = format!("For: {}.", roles.collect::<Vec<_>>().join(", ")).into();
            operation["x-deed"] = deed.word().into();
        }
    }
    match endpoint.input {
        Input::Nothing => {}
        Input::Json(schema) => {
            let schema = schema(sent).to_value();
            operation["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
        }
        Input::Csv(_) => {
            operation["requestBody"] = json!({"required": true, "content": {"text/csv": {"schema": {"type": "string"}}}});
        }
    }
    operation
}

fn operation_id(endpoint: &Endpoint) -> String {
    let path = endpoint.path.trim_start_matches("/api/v1");
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let path: String = path.chars().filter(|c| !matches!(c, '{' | '}')).map(word).collect();
    format!("{}{path}", endpoint.method.to_ascii_lowercase())
}

fn topic(endpoint: &Endpoint) -> &'static str {
    let path = endpoint.path.trim_start_matches("/api/v1").trim_start_matches("/customers/{customer}");
    path.split('/').find(|part| !part.is_empty()).unwrap_or("customers")
}

/// The names in braces of a path.
fn names(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let number = || json!({"type": "integer", "minimum": 0, "maximum": i64::MAX});
    let in_path = names(endpoint.path).map(|name| {
        let schema =
            if matches!(name, "run" | "request" | "episode") { number() } else { json!({"type": "string", "minLength": 1}) };
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    });
    let in_query = endpoint.asks.iter().map(|Ask { name, kind, about }| {
        let schema = match kind {
            Kind::Text => json!({"type": "string", "minLength": 1}),
            Kind::Number(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Date => json!({"type": "string", "format": "date"}),
            Kind::Instant => json!({"anyOf": [
                {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"},
            ]}),
            Kind::Word(words) => json!({"type": "string", "enum": words}),
        };
        json!({"name": name, "in": "query", "description": about, "schema": schema})
    });
    let header =
        |name: &str, about: &str| json!({"name": name, "in": "header", "description": about, "schema": {"type": "string"}});
    let mut parameters: Vec<Value> = in_path.chain(in_query).collect();
    if endpoint.method != "GET" && names(endpoint.path).any(|name| matches!(name, "customer" | "run")) {
        parameters.push(header("If-Match", "The ETag of what the caller saw; 412 if the books moved since."));
    }
    if endpoint.method == "POST" {
        parameters.push(header("Idempotency-Key", "What is asked twice under one key within a day is done once."));
    }
    parameters
}

fn responses(endpoint: &Endpoint, told: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let (kinds, about) = content(endpoint.output, told);
    let mut success = json!({"description": about, "content": kinds});
    if endpoint.deed().is_some() && names(endpoint.path).any(|name| matches!(name, "customer" | "run")) {
        let schema = json!({"type": "string"});
        let past = if endpoint.asks.iter().any(|ask| ask.name == AS_OF.name) { " None with `as_of`." } else { "" };
        let about = format!("The version of the customer's books.{past}");
        success["headers"] = json!({"ETag": {"description": about, "schema": schema}});
    }
    if endpoint.may_wait {
        let mut later = success.clone();
        later["description"] = "It is written down, and done by the run of `request`.".into();
        responses.insert("202".to_owned(), later);
    }
    responses.insert(endpoint.status.to_string(), success);
    for (status, about) in problems(endpoint) {
        let content = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
        responses.insert(status.to_string(), json!({"description": about, "content": content}));
    }
    if let Some(refusal) = endpoint.refusal {
        let schema = json_of(refusal, told);
        responses["409"]["content"]["application/json"] = json!({"schema": schema});
    }
    Value::Object(responses)
}

/// Every status that is no success.
fn problems(endpoint: &Endpoint) -> Vec<(u16, &'static str)> {
    if endpoint.deed().is_none() {
        return match endpoint.path {
            "/readyz" => vec![(500, "What an operator has to look into."), (503, "Not ready, or too much at once.")],
            _ => Vec::new(),
        };
    }
    let writes = endpoint.method != "GET";
    let has_names = names(endpoint.path).next().is_some() || !endpoint.asks.is_empty();
    let has_body = !matches!(endpoint.input, Input::Nothing);
    let all = [
        (true, 400, "The question cannot be understood."),
        (true, 401, "No token, or none that is good."),
        (true, 403, "The role does not reach that far."),
        (has_names || has_body, 404, "There is no such thing, or not for this token."),
        (has_body, 408, "The body did not come in time."),
        (true, 409, "Refused; or settings and books do not fit, or somebody else was faster."),
        (writes, 412, "If-Match names another version."),
        (has_body, 413, "The body is too long."),
        (has_body, 415, "The body is of another type."),
        (writes, 422, "The body says something else than it may; or the Idempotency-Key belongs to another question."),
        (true, 429, "This token asks too much, or the day's runs are used up."),
        (true, 500, "What an operator has to look into."),
        (endpoint.reads_sources, 502, "A source could not be read."),
        (true, 503, "Ask again in a moment."),
    ];
    all.into_iter().filter(|(can, ..)| *can).map(|(_, status, about)| (status, about)).collect()
}

fn json_of(schema: SchemaOf, told: &mut SchemaGenerator) -> Value {
    schema(told).to_value()
}

fn content(output: Output, told: &mut SchemaGenerator) -> (Value, &'static str) {
    let text = json!({"schema": {"type": "string"}});
    match output {
        Output::Json(schema) => (json!({"application/json": {"schema": json_of(schema, told)}}), "The answer."),
        Output::List(schema) => {
            let schema = paged(json_of(schema, told));
            (json!({"application/json": {"schema": schema}}), "A page; `next` goes on.")
        }
        Output::Rows(columns) => {
            let kinds = json!({"application/json": {"schema": paged(rows(columns))}, "text/csv": text});
            (kinds, "A page of rows, or with `Accept: text/csv` all of them.")
        }
        Output::Text(kind) => {
            let kind = kind.split(';').next().unwrap_or(kind);
            (json!({kind: text}), "The text.")
        }
        // A line is one value of that schema; the whole is no JSON.
        Output::Lines(schema) => {
            let kinds = json!({"application/x-ndjson": {"schema": {"type": "string"}, "x-line": json_of(schema, told)}});
            (kinds, "A value a line; the header Rosterd-Next says where to go on.")
        }
        Output::LinesOrCsv(schema) => {
            let kinds = json!({
                "application/x-ndjson": {"schema": {"type": "string"}, "x-line": json_of(schema, told)}, "text/csv": text,
            });
            (kinds, "A value a line, or with `Accept: text/csv` rows.")
        }
        // What is told is one event.
        Output::Events(schema) => {
            let data =
                json!({"type": "string", "contentMediaType": "application/json", "contentSchema": json_of(schema, told)});
            let event = json!({
                "type": "object", "properties": {"event": {"enum": ["run", "over"]}, "data": data}, "required": ["event", "data"],
            });
            (json!({"text/event-stream": {"schema": event}}), "Events until it is over.")
        }
    }
}

fn paged(schema: Value) -> Value {
    json!({"allOf": [schema], "type": "object", "properties": {"next": {"type": ["string", "null"]}}, "required": ["next"]})
}

fn rows(columns: &[Column]) -> Value {
    let names: Vec<&str> = columns.iter().map(|(_, name)| *name).collect();
    let cells: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!({"type": ["string", "number", "null"]}))).collect();
    json!({
        "type": "object",
        "properties": {
            "customer": {"type": "string"}, "as_of": {"type": ["string", "null"]}, "snapshot": {"type": ["string", "null"]},
            "stale": {"type": "boolean"},
            "rows": {"type": "array", "items": {"type": "object", "properties": cells, "required": names}},
        },
        "required": ["customer", "as_of", "snapshot", "stale", "rows"],
    })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457). Scripts go by `type`.",
        "properties": {
            "type": {"type": "string", "description": "urn:rosterd:problem: and a stable code"},
            "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail"],
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::http::router::{openapi_json, routes};

    #[test]
    fn it_says_what_the_table_says() {
        let document = openapi_json();
        let paths = document["paths"].as_object().expect("paths");
        let mut operations = 0;
        for (method, path, deed) in routes() {
            let operation = &paths[path][method.to_ascii_lowercase()];
            assert_eq!(operation["x-deed"].as_str(), deed.map(|deed| deed.word()), "{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|about| about.ends_with('.')), "{method} {path}");
            operations += 1;
        }
        let told: usize = paths.values().filter_map(Value::as_object).map(serde_json::Map::len).sum();
        assert_eq!(told, operations, "no question is told twice, and none that is not there");
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
        fn walk<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
            match value {
                Value::Object(fields) => {
                    found.extend(fields.get("$ref").and_then(Value::as_str));
                    fields.values().for_each(|value| walk(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| walk(value, found)),
                _ => {}
            }
        }
        let document = openapi_json();
        let mut references = Vec::new();
        walk(&document, &mut references);
        assert!(references.len() > 100);
        for reference in references {
            let at = reference.strip_prefix('#').expect("of this document");
            assert!(document.pointer(at).is_some(), "{reference}");
        }
        let operations = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
        let operations = operations.filter_map(Value::as_object).flat_map(|path| path.values());
        let mut ids: Vec<&str> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    /// The page for people names every question.
    #[test]
    fn the_documented_questions_are_the_questions() {
        let page = include_str!("../../docs/API.md");
        let document = openapi_json();
        let told: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        for (method, path, deed) in routes() {
            let line = told.iter().find(|line| line.contains(&format!("`{method} {path}`")));
            let line = line.unwrap_or_else(|| panic!("docs/API.md does not tell of {method} {path}"));
            let deed = deed.map_or("anybody", |deed| deed.word());
            assert_eq!(line.split('|').nth(2).map(str::trim), Some(deed), "{line}");
            let parameters = &document["paths"][path][method.to_ascii_lowercase()]["parameters"];
            let takes = |name: &str| parameters.as_array().is_some_and(|all| all.iter().any(|one| one["name"] == name));
            assert_eq!(line.contains("`as_of`"), takes("as_of"), "{line}");
        }
    }
}
