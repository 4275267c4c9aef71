use crate::source::hr::mapping::HrColumns;
use crate::source::hr::wire::{Lists, Rows, Shape, read_answer};

fn read(text: &str, list: &str, lists: Lists, columns: &[&str]) -> Result<Option<Vec<Vec<String>>>, String> {
    let columns = HrColumns::named(columns);
    let mut rows = Rows::new(columns.names().len());
    let shape = Shape { list, id: "id", lists };
    match read_answer(text, shape, &columns, &mut rows) {
        Err(error) => Err(error.to_string()),
        Ok(None) => Ok(None),
        Ok(Some(_)) => {
            let bytes = postcard::to_stdvec(&rows).expect("bytes");
            let rows: Rows = postcard::from_bytes(&bytes).expect("rows");
            let mut all = Vec::new();
            rows.each(|cells| all.push(cells.expect("a row").iter().map(|&cell| cell.to_owned()).collect()));
            Ok(Some(all))
        }
    }
}

#[test]
fn scim_users_become_cells() {
    let text = r#"{"schemas":["x"],"totalResults":2,"Resources":[
      {"ID":"2819","userName":"mlee","active":"True","name":{"givenName":"Mina","familyName":"Lee"},"password":"hunter2",
       "emails":[{"value":"home@x","type":"home"},{"value":"work@x","type":"work"}],
       "phoneNumbers":[{"value":"555-0100"}],
       "groups":[{"value":"g-1","display":"Sales"},{"value":"g-2"}],
       "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales","employeeNumber":17,
          "manager":{"value":"11aa"}}},
      {"id":"77","emails":[{"value":"a@x"},{"value":"b@x","primary":true}],"active":null,"name":{}}]}"#;
    let columns = [
        "id",
        "active",
        "name.givenName",
        "emails",
        "emails.home",
        "groups",
        "enterprise.department",
        "enterprise.employeeNumber",
        "enterprise.manager.value",
    ];
    let rows = read(text, "Resources", Lists::Scim, &columns).expect("JSON").expect("a list");
    assert_eq!(rows[0], ["2819", "True", "Mina", "work@x", "home@x", "Sales; g-2", "Sales", "17", "11aa"]);
    assert_eq!(rows[1], ["77", "", "", "b@x", "", "", "", "", ""]);
}

#[test]
fn flat_and_nested_rows_become_cells_and_all_else_is_dropped() {
    let text = r#"{"Report_Entry":[{"Employee_ID":"021","Teams":[{"Team":"A"},{"Team":"B"}],"Skills":["x",1,true],"N":null,
        "National_ID":"secret"},{"Employee_ID":"022"}],"other":{"deep":[1,2]}}"#;
    let columns = ["employee_id", "Teams.Team", "Skills", "N"];
    let rows = read(text, "Report_Entry", Lists::Joined, &columns).expect("JSON").expect("a list");
    assert_eq!(rows, [vec!["021", "A; B", "x; 1; true", ""], vec!["022", "", "", ""]]);
    let columns = HrColumns::named(&columns);
    let mut rows = Rows::new(4);
    let shape = Shape { list: "Report_Entry", id: "Employee_ID", lists: Lists::Joined };
    let beside = read_answer(text, shape, &columns, &mut rows).expect("JSON").expect("a list");
    assert_eq!((rows.len(), rows.seen.as_slice()), (2, &[true; 4][..]), "`N` was there, as nothing");
    assert_eq!(beside["other"]["deep"][1], 2);
    let bytes = postcard::to_stdvec(&rows).expect("bytes");
    assert!(!String::from_utf8_lossy(&bytes).contains("secret"), "what no column asks for is not kept");
}

#[test]
fn what_is_no_list_and_what_is_broken() {
    for none in [r#"{"data":null}"#, r#"{"data":{}}"#, r#"{"other":[]}"#, "{}"] {
        assert_eq!(read(none, "data", Lists::Joined, &["id"]), Ok(None), "{none}");
    }
    for broken in [r#"{"data":[{"id":1}"#, r#"{"data":[1]}"#, r#"{"data":[null]}"#, r#"{"data":[]} x"#, "[]", "\"\""] {
        assert!(read(broken, "data", Lists::Joined, &["id"]).is_err(), "{broken}");
    }
    assert_eq!(read(r#"{"data":[]}"#, "data", Lists::Joined, &["id"]), Ok(Some(Vec::new())));
}
