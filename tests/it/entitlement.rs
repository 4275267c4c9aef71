//! Who gets what without a rule being written (R22).

use std::fs;

use assert_cmd::Command;
use rosterd::base::ProductId;
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::plan::{DefaultFor, Entitlement, Predicate, shipped_rules};

use crate::world::{World, succeeded};

const PRODUCTS: [&str; 5] = ["access", "learn", "observe", "library", "lab"];

/// Five products with a pool each and a person of every role of OneRoster 1.2, named like it.
fn world(has_rules: bool, default_for: &[(&str, DefaultFor)], admin_products: &[&str]) -> World {
    let mut world = World::new("north").school("ash");
    for id in PRODUCTS {
        let kind = if id == "access" { ProductKind::Access } else { ProductKind::Module };
        world = world.product(id, kind, SeatModel::Role).pool(id, "d", None, OnFull::Wait);
    }
    for role in [
        "aide",
        "counselor",
        "districtAdministrator",
        "guardian",
        "parent",
        "principal",
        "proctor",
        "relative",
        "siteAdministrator",
        "student",
        "systemAdministrator",
        "teacher",
    ] {
        world.hire(role, role, "ash");
    }
    for role in ["content_access", "observer", "observable", "coach"] {
        world.hire(role, &format!("ext:{role}"), "ash");
    }
    if has_rules {
        world = world.rule("coaches", "lab", 0, Predicate::Role(vec!["ext:coach".into()]));
    }
    let default_for: Vec<(ProductId, DefaultFor)> = default_for.iter().map(|&(id, whose)| (id.into(), whose)).collect();
    let admin_products: Vec<ProductId> = admin_products.iter().map(|&id| id.into()).collect();
    let entitlement =
        Entitlement { products: &world.policy.products, default_for: &default_for, admin_products: &admin_products, has_rules };
    let shipped = shipped_rules(&entitlement);
    world.policy.rules.extend(shipped);
    world
}

#[test]
fn r22_roles_bring_products_without_a_rule() {
    let content = "aide content_access student teacher";
    let observe = "observable observer";
    let admins = "districtAdministrator siteAdministrator systemAdministrator";
    let everybody = &format!("{admins} {content} {observe}");
    let both = &format!("{admins} {content}");
    let none = &[];
    use DefaultFor::{ContentAccess, Observer};
    // (has rules, default_for, admin products, who has access, learn, observe, library, lab)
    for (has_rules, default_for, admin_products, expected) in [
        (false, &none[..], &[][..], [everybody.as_str(), content, observe, "", ""]),
        (false, none, &["observe", "lab"], [everybody, content, &format!("{admins} {observe}"), "", admins]),
        (false, none, &["learn", "nothing"], [everybody, both, observe, "", ""]),
        (false, &[("library", ContentAccess)], &[], [everybody, content, observe, content, ""]),
        (false, &[("learn", Observer), ("access", ContentAccess)], &[], [content, observe, observe, "", ""]),
        // Who writes rules gets what was written, and what was said outright.
        (true, none, &[], ["", "", "", "", "coach"]),
        (true, none, &["learn"], ["", admins, "", "", "coach"]),
        (true, &[("library", ContentAccess), ("lab", Observer)], &[], ["", "", "", content, "coach observable observer"]),
    ] {
        let mut world = world(has_rules, default_for, admin_products);
        assert!(succeeded(&world.night()));
        for (product, people) in PRODUCTS.iter().zip(expected) {
            let mut people: Vec<&str> = people.split_whitespace().collect();
            people.sort_unstable();
            assert_eq!(world.seated(product), people, "{product} {has_rules} {default_for:?} {admin_products:?}");
        }
        world.verify();
    }
}

#[test]
fn r22_products_whose_seats_come_by_themselves_are_not_asked_for_twice() {
    let mut world = world(false, &[], &[]);
    world.policy.products[1].seat_model = SeatModel::ActiveUser;
    world.policy.products[2].auto_assign = true;
    world.policy.products[0].auto_assign = true;
    let shipped = |default_for: &[(ProductId, DefaultFor)]| {
        let products = &world.policy.products;
        shipped_rules(&Entitlement { products, default_for, admin_products: &[], has_rules: false })
    };
    assert_eq!(shipped(&[]), []);
    let said = shipped(&[("learn".into(), DefaultFor::Observer)]);
    assert_eq!(
        said.iter().map(|rule| (rule.id.as_str(), rule.product.as_str())).collect::<Vec<_>>(),
        [("default:observer", "learn")]
    );
}

#[test]
fn r161_a_shipped_rule_is_the_reason() {
    let mut world = world(false, &[], &["lab"]);
    world.night();
    let service = world.service();
    let customer = &service.customers()[0];
    let explain = |person: &str, product: &str| {
        let answers = service.explain(customer, person, Some(&product.into())).expect("an answer");
        (answers[0].answer, answers[0].text.clone(), answers[0].facts.join("\n"))
    };
    let (answer, text, facts) = explain("student", "learn");
    assert_eq!((answer, text.as_str()), ("active", "Has a seat in learn because of rule:default:content_access."));
    assert!(facts.contains("asked for by shipped rule default:content_access"), "{facts}");
    assert_eq!(explain("siteAdministrator", "lab").1, "Has a seat in lab because of rule:default:administrators.");
    assert_eq!(explain("siteAdministrator", "learn").0, "no_entitling_role");

    // Losing the role frees the seat like that of any rule (R23, R36).
    world.people.get_mut("student").expect("a person").roles = vec![("guardian".into(), "ash".into())];
    world.night();
    assert_eq!(world.state("student", "learn"), None);
    let released = world.service().store().released(&world.policy.customer, Some("student")).expect("claims");
    assert_eq!(released.len(), 2, "learn and access");
}

#[test]
fn check_tells_the_shipped_rules_in_force() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("drop")).expect("a folder");
    let file = dir.path().join("rosterd.toml");
    let check = |rule: &str| {
        let text = format!(
            "[store]\npath = \"books/rosterd.db\"\n[entitlement]\nadmin_products = [\"learn\"]\n[[customer]]\nid = \"north\"\n\
             [[customer.source]]\nid = \"sis\"\nkind = \"oneroster_csv\"\npath = \"drop\"\n[[customer.product]]\nid = \"learn\"\n\
             [[customer.product]]\nid = \"lab\"\ndefault_for = \"observer\"\n{rule}"
        );
        fs::write(&file, text).expect("written");
        let done =
            Command::new(env!("CARGO_BIN_EXE_rosterd")).arg("check").arg("--config").arg(&file).output().expect("it runs");
        String::from_utf8(done.stdout).expect("text")
    };
    let told = check("");
    let admins =
        "default:administrators gives learn to administrator, districtAdministrator, siteAdministrator, systemAdministrator";
    let content = "default:content_access gives learn to aide, student, teacher, ext:content_access";
    let observer = "default:observer gives lab to ext:observable, ext:observer";
    assert!(
        told.contains(&format!("ok     rules north: shipped defaults in force: {content}; {admins}; {observer}\n")),
        "{told}"
    );
    let told = check("[[customer.rule]]\nid = \"all\"\nproduct = \"learn\"\nwhen = { everyone = true }\n");
    assert!(told.contains(&format!("shipped defaults in force: {admins}; {observer}\n")), "{told}");
}
