//! Names and values: of a query, of a form, of a path. A name may come several times.

/// What was asked with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a query or the body of a form. What is not UTF-8 is replaced.
    pub fn read(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// From pairs that were read already.
    pub fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// The first value of a name; an empty one is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs.find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The values of a name that are not empty.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        let values = self.0.iter().filter(move |(known, value)| known == name && !value.is_empty());
        values.map(|(_, value)| value.as_str())
    }

    /// The page that is wanted, from 1.
    pub fn page(&self) -> usize {
        self.get("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, PAGES_MAX)
    }

    /// A link to a path with these values, another page among them; empty values are left out.
    pub fn link(&self, path: &str, names: &[&str], page: usize) -> String {
        let values = names.iter().filter_map(|name| Some((*name, self.get(name)?.to_owned())));
        let page = (page > 1).then(|| ("page", page.to_string()));
        link(path, values.chain(page))
    }
}

/// So many pages can be asked for.
const PAGES_MAX: usize = 1_000_000;

/// A link to a path with some values.
pub fn link<'a>(path: &str, values: impl IntoIterator<Item = (&'a str, impl AsRef<str>)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(values);
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use crate::http::pages::fields::{Fields, link};

    #[test]
    fn names_may_come_twice_and_values_are_quoted() {
        let fields = Fields::read(b"keep=a&keep=&keep=b+c%26&page=0");
        assert_eq!(fields.all("keep").collect::<Vec<_>>(), ["a", "b c&"]);
        assert_eq!((fields.get("keep"), fields.get("none"), fields.page()), (Some("a"), None, 1));
        assert_eq!(fields.link("/x", &["keep", "none"], 3), "/x?keep=a&page=3");
        assert_eq!(link("/x", [("key", "a/b&c=<\u{e9}>")]), "/x?key=a%2Fb%26c%3D%3C%C3%A9%3E");
        assert_eq!(Fields::read(b"page=99999999999999999999999").page(), 1);
    }
}
