//! Files with many customers, which lie side by side in their text: they are read in as many parts as there are cores. The only
//! file that names the `toml` crate.
//!
//! Invariant: the parts come to what the whole text comes to, or to nothing; then the whole is read, which also tells what is
//! wrong. A part that can be read ends where a statement ends, so the next one starts where one starts, and each begins with the
//! header of a customer.

use toml::de::{DeTable, DeValue};

use crate::base::parts;
use crate::settings::tree::Node;

const HEADER: &str = "[[customer]]";

/// The text before the first customer, and the customers; `None` where there are few, or where they cannot be read apart.
pub fn customers_apart(text: &str) -> Option<(&str, Vec<Node>)> {
    let starts: Vec<usize> = text.match_indices(HEADER).map(|(at, _)| at).filter(|&at| is_line_start(text, at)).collect();
    let ranges = parts::ranges_of_large(starts.len());
    if ranges.len() < 2 {
        return None;
    }
    let end = |customer: usize| starts.get(customer).copied().unwrap_or(text.len());
    let texts: Vec<&str> = ranges.iter().map(|part| &text[end(part.start)..end(part.end)]).collect();
    let read: Option<Vec<Vec<Node>>> = parts::each(texts, customers_of).into_iter().collect();
    Some((&text[..end(0)], read?.into_iter().flatten().collect()))
}

fn is_line_start(text: &str, at: usize) -> bool {
    at == 0 || text.as_bytes()[at - 1] == b'\n'
}

/// The customers of a part in which there is nothing else.
fn customers_of(text: &str) -> Option<Vec<Node>> {
    let mut table = DeTable::parse(text).ok()?.into_inner().into_iter();
    match (table.next().map(|(key, value)| (key.into_inner(), value.into_inner())), table.next()) {
        (Some((key, DeValue::Array(customers))), None) if key == "customer" => list(customers),
        _ => None,
    }
}

fn list<'t>(items: impl IntoIterator<Item = toml::Spanned<DeValue<'t>>>) -> Option<Vec<Node>> {
    items.into_iter().map(|item| node(item.into_inner())).collect()
}

/// As the layers have it; `None` for what only they know how to tell.
fn node(value: DeValue<'_>) -> Option<Node> {
    Some(match value {
        DeValue::String(text) => Node::Text(text.into_owned()),
        DeValue::Integer(number) => Node::Number(i64::from_str_radix(number.as_str(), number.radix()).ok()?),
        DeValue::Boolean(flag) => Node::Flag(flag),
        DeValue::Datetime(time) => Node::Text(time.to_string()),
        DeValue::Array(items) => Node::List(list(items)?),
        DeValue::Table(table) => {
            let entry = |(key, value): (toml::Spanned<std::borrow::Cow<'_, str>>, toml::Spanned<DeValue<'_>>)| {
                Some((key.into_inner().into_owned(), node(value.into_inner())?))
            };
            Node::Table(table.into_iter().map(entry).collect::<Option<_>>()?)
        }
        DeValue::Float(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::settings::many::{customers_apart, customers_of};
    use crate::settings::tree::Node;

    fn many(count: usize, each: impl Fn(usize) -> String) -> String {
        (0..count).map(|at| format!("[[customer]]\nid = \"c{at}\"\n{}\n", each(at))).collect()
    }

    #[test]
    fn customers_come_apart_where_they_stand_apart() {
        let plain = |at: usize| format!("seats = {at}\n[[customer.pool]]\nid = \"p\" # [[customer]]\nnot = '[[customer]]'");
        let text = format!("[store]\npath = \"x\"\n{}", many(200, plain));
        let (head, customers) = customers_apart(&text).expect("apart");
        assert_eq!((head, customers.len()), ("[store]\npath = \"x\"\n", 200));
        let Node::Table(last) = &customers[199] else { panic!("a table") };
        assert_eq!((&last["id"], &last["seats"]), (&Node::Text("c199".into()), &Node::Number(199)));
        assert!(customers_apart(&many(3, plain)).is_none(), "few");
    }

    #[test]
    fn whatever_is_odd_is_read_as_a_whole() {
        let odd = |at: usize, text: &str| many(200, |other| if other == at { text.to_owned() } else { String::new() });
        for text in ["[store]\npath = \"y\"", "x = 1.5", "x =", "y = \"\"\"", "list = ["] {
            for at in [0, 99, 100, 199] {
                assert!(customers_apart(&odd(at, text)).is_none(), "{text} at {at}");
            }
        }
        // What only looks like a customer may stand where parts are cut, or not.
        for text in
            ["name = \"\"\"\n[[customer]]\nid = 'x'\n\"\"\"", "list = [\n[[customer]]\n]", "list = [\n[[customer]],\n['x']]"]
        {
            for at in 0..200 {
                let text = odd(at, text);
                let apart = customers_apart(&text).map(|(_, customers)| customers);
                assert!(apart.is_none() || apart == customers_of(&text), "{text} at {at}");
            }
        }
    }
}
