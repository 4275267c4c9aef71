//! Quiet hours: a source is not asked in them, runs go on with what is known, and what it fails at is no alarm.

use rosterd::base::{QuietHours, SourceId};
use rosterd::source::RestVersion;

use crate::fake_http::Reply;
use crate::fake_oneroster::Provider;
use crate::net_classlink::notices;
use crate::net_oneroster::district;
use crate::net_outage::process;
use crate::world::{World, succeeded};

/// A new process, with these quiet hours.
fn connect(provider: &Provider, world: &mut World, hours: &'static str) {
    provider.feeds_on(world, process(world), RestVersion::V1_1, |_| ());
    let adjust = std::mem::replace(&mut world.adjust, Box::new(|_| ()));
    world.adjust = Box::new(move |customer| {
        adjust(customer);
        customer.quiet = QuietHours::parse(hours).map(|hours| (SourceId::from("sis"), hours)).into_iter().collect();
    });
}

#[test]
fn in_quiet_hours_nobody_is_asked_and_nothing_is_told() {
    let provider = Provider::start();
    let mut world = district("north");
    provider.has(&world, RestVersion::V1_1);
    connect(&provider, &mut world, "");
    assert!(succeeded(&world.quiet_night()));
    world.hire("new", "teacher", "s1");
    provider.has(&world, RestVersion::V1_1);
    // The nights of these stories are at half past two.
    connect(&provider, &mut world, "02:00-03:00");
    let before = provider.server.asked().len();
    let run = world.run();
    assert!(
        succeeded(&run) && run.message.contains("source sis: not asked in its quiet hours, 02:00-03:00"),
        "{}",
        run.message
    );
    assert_eq!((provider.server.asked().len(), world.seated("p").len()), (before, 30));
    connect(&provider, &mut world, "Mon 02:00-Mon 03:00");
    let run = world.run();
    assert!(succeeded(&run) && run.message.is_empty(), "it is Tuesday: {}", run.message);
    assert_eq!(world.seated("p").len(), 31);
    // Failures are counted by whoever asks, such as an operator; the minutes of the quiet hours bring no alarm of them.
    provider.lies(|_, _, _| Reply::html(503));
    connect(&provider, &mut world, "02:00-03:00");
    for _ in 0..5 {
        assert!(world.customer().sources[0].source.check().is_err());
    }
    assert!(world.service().tick().errors.is_empty());
    assert!(succeeded(&world.run()));
    assert_eq!(notices(&world, "source_down").len(), 0);
    connect(&provider, &mut world, "03:00-04:00");
    assert!(world.service().tick().errors.is_empty());
    assert_eq!(notices(&world, "source_down").len(), 1);
    world.verify();
}
