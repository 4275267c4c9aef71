use crate::base::{Actor, ClaimId, CustomerId, Instant, OrgId, PoolId, Text, TextArena, Version};
use crate::license::{Because, Channel, Claim, ClaimChange, ClaimState, Names, OrgNameIx, PoolIx, ReasonsIx, Wait};
use crate::store::api::Store;
use crate::store::batch::Batch;
use crate::store::sql::books::head_or_new;
use crate::store::sql::claims::Writer;
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;
use crate::store::sql::transaction::Transaction;
use crate::store::sqlite::SqliteStore;

const POOLS: u16 = 3;
const RETURNING: u64 = 40;

struct Changes {
    names: Names,
    people: TextArena,
    list: Vec<ClaimChange>,
}

impl Changes {
    fn new() -> Self {
        let names = Names {
            pools: (0..POOLS).map(|at| PoolId::from(format!("pool{at}").as_str())).collect(),
            orgs: (0..7).map(|at| OrgId::from(format!("org{at}").as_str())).collect(),
            reasons: vec!["pin".to_owned()],
        };
        Self { names, people: TextArena::default(), list: Vec::new() }
    }

    fn push(&mut self, person: Text, before: Option<Claim>, after: Claim) {
        self.list.push(ClaimChange { person, because: Because::Entitled, before: before.map(Box::new), after });
    }

    fn batch<'b>(&'b self, customer: &'b CustomerId, parent: u64) -> Batch<'b> {
        Batch {
            customer,
            parent: Version(parent),
            at: Instant(9),
            actor: Actor::system(),
            run: None,
            plan: None,
            verb: "test",
            names: &self.names,
            people: &self.people,
            changes: &self.list,
            entries: &[],
            notices: &[],
        }
    }
}

fn claim(id: u64, pool: u16, state: ClaimState) -> Claim {
    Claim {
        id: ClaimId(id),
        since: Instant(id as i64 % 5),
        changed: Instant(3),
        home: OrgNameIx(id as u32 % 7),
        reasons: ReasonsIx(0),
        priority: id as i32 % 3,
        pool: PoolIx(pool),
        state,
        channel: Channel::Sync,
        wait: Wait::Nothing,
    }
}

/// Some people had a seat and have none now; with them come many others, in no order of their keys.
fn worlds() -> [Changes; 3] {
    let [mut seated, mut freed, mut all] = [Changes::new(), Changes::new(), Changes::new()];
    for id in 1..=RETURNING {
        let key = format!("r{id:02}");
        let person = seated.people.push(&key).expect("fits");
        seated.push(person, None, claim(id, 0, ClaimState::Active));
        let person = freed.people.push(&key).expect("fits");
        freed.push(person, Some(claim(id, 0, ClaimState::Active)), claim(id, 0, ClaimState::Released));
        let person = all.people.push(&key).expect("fits");
        all.push(person, Some(claim(id, 0, ClaimState::Released)), claim(id, 0, ClaimState::Active));
        if id % 4 == 0 {
            // Once more, in one and the same batch.
            all.push(person, Some(claim(id, 0, ClaimState::Active)), claim(id, 0, ClaimState::Released));
            all.push(person, Some(claim(id, 0, ClaimState::Released)), claim(id, 0, ClaimState::Active));
        }
    }
    let mut next = RETURNING;
    for n in 0..9_000u64 {
        let person = all.people.push(&format!("{}{n:04}", ["a", "s", "é"][n as usize % 3])).expect("fits");
        for pool in 0..=(n % 3) as u16 {
            next += 1;
            let state =
                [ClaimState::Active, ClaimState::Waiting, ClaimState::Pending, ClaimState::Suspended][next as usize % 4];
            let state = if n % 500 == 0 { ClaimState::Released } else { state };
            all.push(person, None, claim(next, POOLS - 1 - pool, state));
        }
    }
    [seated, freed, all]
}

fn rows(tx: &Transaction<'_>) -> Result<Vec<String>, Fault> {
    let mut all = Vec::new();
    for (table, columns) in [
        ("claims", "hex(first), hex(body)"),
        ("released", "hex(person), version, n, run, hex(body)"),
        ("waiting", "pool, rank, since, hex(person), claim, hex(body)"),
        ("used_by_org", "pool, org, used"),
    ] {
        let row = columns.replace(", ", " || ' ' || ").replace(" run ", " coalesce(run, '') ");
        let ask = format!("SELECT '{table} ' || {row} FROM {table} ORDER BY 1");
        all.extend(tx.prepare_cached(&ask)?.query_map((), |row| row.get::<String>(0))?);
    }
    Ok(all)
}

#[test]
fn rows_made_beside_their_writing_are_those_made_in_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let customer = CustomerId::from("lakes");
    let [seated, freed, all] = worlds();
    let written = ["turn", "beside"].map(|way| {
        let store = SqliteStore::open(&folder.path().join(way)).expect("a store");
        store.commit(&seated.batch(&customer, 0)).expect("commits");
        store.commit(&freed.batch(&customer, 1)).expect("commits");
        let written = store.door.write(|tx| {
            let head = head_or_new(tx, &customer)?;
            let batch = all.batch(&customer, 2);
            let writer = Writer::new(tx, &head, Version(3), &batch)?;
            assert!(writer.fresh, "everybody was freed");
            let next = if way == "turn" { writer.write_in_turn()? } else { writer.write_beside()? };
            Ok((next, rows(tx)?))
        });
        written.expect("writes")
    });
    let pages = written[0].1.iter().filter(|row| row.starts_with("claims")).count();
    assert!(pages > 100 && written[0].1.len() > 4_000, "{pages} pages, {} rows", written[0].1.len());
    assert!(written[0] == written[1]);
}

#[test]
fn a_fault_of_either_way_is_told_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let customer = CustomerId::from("lakes");
    let [.., mut all] = worlds();
    all.list.retain(|change| change.before.is_none());
    let twice = all.list.len() - 1;
    all.list[twice].after.id = all.list[0].after.id;
    let bad_home = |all: &mut Changes| all.list[twice / 2].after.home = OrgNameIx(70);
    for spoil in [None, Some(bad_home)] {
        spoil.into_iter().for_each(|spoil| spoil(&mut all));
        let told = ["turn", "beside"].map(|way| {
            let store = SqliteStore::open(&folder.path().join(way)).expect("a store");
            let written = store.door.write(|tx| {
                let batch = all.batch(&customer, 0);
                let writer = Writer::new(tx, &head_or_new(tx, &customer)?, Version(1), &batch)?;
                if way == "turn" { writer.write_in_turn() } else { writer.write_beside() }
            });
            written.expect_err("it is wrong").to_string().replace(way, "")
        });
        assert_eq!(told[0], told[1]);
    }
}
