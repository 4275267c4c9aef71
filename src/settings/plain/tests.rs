use std::borrow::Cow;

use crate::settings::plain::{customer_of, customers_apart};
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
    let id = Node::Text(Cow::Borrowed("c199"));
    assert_eq!((last.get("id"), last.get("seats")), (Some(&id), Some(&Node::Number(199))));
    assert!(customers_apart(&many(3, plain)).is_none(), "few");
}

#[test]
fn what_is_odd_is_no_customer() {
    for odd in [
        "[store]\npath = \"y\"",
        "x = 1.5",
        "x =",
        "y = \"\"\"",
        "y = ''''''",
        "list = [",
        "list = [1",
        "list = [1,,2]",
        "one = { a = 1",
        "one = { a = 1, a = 2 }",
        "one = { a = 1,\n b = 2 }",
        "id = \"twice\"",
        "[[customer]]",
        "x = 1e3",
        "x = 007",
        "x = +7",
        "x = 1_000",
        "x = 9223372036854775808",
        "x = 2026-02-30",
        "x = 2026-01-02 03:04:05",
        "x = \"a\u{1}b\"",
        "x = \"a\\qb\"",
        "x = \"a\\ud800b\"",
        "x = \"a",
        "x = 'a\nb'",
        "# a\u{1}b",
        "x = 1 y = 2",
        "a.b = 1",
        "\"a\" = 1",
        "[customer.id]",
        "[customer.above.below]",
        "[customer.one]\n[customer.one]",
        "one = {}\n[customer.one.two]",
        "list = []\n[[customer.list]]",
        "list = [{}]\n[[customer.list]]",
        "list = [[{}]]\n[customer.list.x]",
        "[[customer.list]]\n[customer.list]",
        "[ customer.one ]",
        "x = 1\r# y",
    ] {
        assert!(customer_of(&many(1, |_| odd.to_owned())).is_none(), "{odd}");
    }
    // Where a header stands inside of a value, the text before it ends in the middle.
    for odd in ["name = \"\"\"\n[[customer]]\nid = 'x'\n\"\"\"", "list = [\n[[customer]]\n]", "list = [\n[[customer]],\n['x']]"]
    {
        let text = many(200, |at| if at == 99 { odd.to_owned() } else { String::new() });
        let (_, customers) = customers_apart(&text).expect("many");
        assert!(customers.into_iter().any(|text| customer_of(text).is_none()), "{odd}");
    }
}

#[test]
fn what_is_too_large_or_too_deep_is_left_to_the_layers() {
    let entries = |count: usize| (1..count).map(|at| format!("k{at} = {at}\n")).collect::<String>();
    assert!(customer_of(&many(1, |_| entries(256))).is_some());
    assert!(customer_of(&many(1, |_| entries(257))).is_none());
    let deep = |depth: usize| format!("x = {}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(customer_of(&many(1, |_| deep(31))).is_some());
    assert!(customer_of(&many(1, |_| deep(32))).is_none());
}
