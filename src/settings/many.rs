//! Files with many customers, which lie side by side in their text: each can be read by itself. The only file that names the
//! `toml` crate.
//!
//! Invariant: the customers come to what the whole text comes to, or one of them to nothing; then the whole is read, which also
//! tells what is wrong. A text that can be read ends where a statement ends, so the next one starts where one starts, and each
//! begins with the header of a customer.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::settings::tree::Node;

const HEADER: &str = "[[customer]]";

/// Fewer customers are read with the rest.
const MANY: usize = 64;

/// The text before the first customer, and that of each customer; `None` where there are few.
pub fn customers_apart(text: &str) -> Option<(&str, Vec<&str>)> {
    let starts = text.match_indices(HEADER).map(|(at, _)| at);
    let starts: Vec<usize> = starts.filter(|&at| at == 0 || text.as_bytes()[at - 1] == b'\n').collect();
    if starts.len() < MANY {
        return None;
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    Some((&text[..starts[0]], starts.iter().zip(ends).map(|(&start, end)| &text[start..end]).collect()))
}

/// The customer of a text in which there is nothing else.
pub fn customer_of(text: &str) -> Option<BTreeMap<String, Node>> {
    let mut document = DeTable::parse(text).ok()?.into_inner().into_iter();
    let (key, DeValue::Array(customers)) = document.next().map(|(key, value)| (key.into_inner(), value.into_inner()))? else {
        return None;
    };
    let mut customers = customers.into_iter();
    match (customers.next()?.into_inner(), customers.next(), document.next()) {
        (DeValue::Table(customer), None, None) if key == "customer" => table(customer),
        _ => None,
    }
}

fn table(table: DeTable<'_>) -> Option<BTreeMap<String, Node>> {
    table.into_iter().map(|(key, value)| Some((key.into_inner().into_owned(), node(value.into_inner())?))).collect()
}

/// As the layers have it; `None` for what only they know how to tell.
fn node(value: DeValue<'_>) -> Option<Node> {
    Some(match value {
        DeValue::String(text) => Node::Text(text.into_owned()),
        DeValue::Integer(number) => Node::Number(i64::from_str_radix(number.as_str(), number.radix()).ok()?),
        DeValue::Boolean(flag) => Node::Flag(flag),
        DeValue::Datetime(time) => Node::Text(time.to_string()),
        DeValue::Array(items) => Node::List(items.into_iter().map(|item| node(item.into_inner())).collect::<Option<_>>()?),
        DeValue::Table(own) => Node::Table(table(own)?),
        DeValue::Float(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::settings::many::{customer_of, customers_apart};
    use crate::settings::tree::Node;

    fn many(count: usize, each: impl Fn(usize) -> String) -> String {
        (0..count).map(|at| format!("[[customer]]\nid = \"c{at}\"\n{}\n", each(at))).collect()
    }

    #[test]
    fn customers_come_apart_where_they_stand_apart() {
        let plain = |at: usize| format!("seats = {at}\n[[customer.pool]]\nid = \"p\" # [[customer]]\nnot = '[[customer]]'");
        let text = format!("[store]\npath = \"x\"\n{}", many(200, plain));
        let (head, customers) = customers_apart(&text).expect("many");
        assert_eq!((head, customers.len()), ("[store]\npath = \"x\"\n", 200));
        let last = customer_of(customers[199]).expect("a customer");
        assert_eq!((&last["id"], &last["seats"]), (&Node::Text("c199".into()), &Node::Number(199)));
        assert!(customers_apart(&many(3, plain)).is_none(), "few");
    }

    #[test]
    fn what_is_odd_is_no_customer() {
        for odd in
            ["[store]\npath = \"y\"", "x = 1.5", "x =", "y = \"\"\"", "list = [", "id = \"twice\"", "[[customer]]", "x = 1e3"]
        {
            assert!(customer_of(&many(1, |_| odd.to_owned())).is_none(), "{odd}");
        }
        // Where a header stands inside of a value, the text before it ends in the middle.
        for odd in
            ["name = \"\"\"\n[[customer]]\nid = 'x'\n\"\"\"", "list = [\n[[customer]]\n]", "list = [\n[[customer]],\n['x']]"]
        {
            let text = many(200, |at| if at == 99 { odd.to_owned() } else { String::new() });
            let (_, customers) = customers_apart(&text).expect("many");
            assert!(customers.into_iter().any(|text| customer_of(text).is_none()), "{odd}");
        }
    }
}
