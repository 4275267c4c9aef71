use crate::notify::{Form, Party, Security, Way};
use crate::plan::{NoticeKind, Severity};
use crate::settings::trial::{EVERYONE, district, good, wrong};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn with(global: &str, own: &str) -> String {
    let district = district(own, "", "", EVERYONE);
    format!("{global}\n{district}")
}

#[test]
fn channels_come_to_what_they_say() {
    let global = format!(
        "[smtp]\nserver = \"mail.vendor.example:465\"\nsecurity = \"tls\"\nfrom = \"Licenses <licenses@vendor.example>\"\n\
         [[channel]]\nid = \"crm\"\nkind = \"webhook\"\naddress = \"https://crm.vendor.example/in\"\nsecret = \"{KEY}\"\n\
         old_secret = \"{KEY}\"\nseverity = \"warning\"\n\
         [[channel]]\nid = \"ops\"\nkind = \"slack\"\naddress = \"https://chat.example/hook?x=1\"\nnotices = [\"run_failed\"]"
    );
    let own = "[[customer.channel]]\nid = \"office\"\nkind = \"mail\"\nto = [\"it@north.example\"]";
    let settings = good(&with(&global, own));
    let names: Vec<_> = settings.channels.iter().map(|channel| (channel.name.as_str(), channel.party)).collect();
    assert_eq!(names, [("crm", Party::Vendor), ("ops", Party::Vendor), ("north/office", Party::Customer)]);
    let [crm, ops, office] = &settings.channels[..] else { panic!("three") };
    assert_eq!((crm.severity_min, &crm.kinds), (Severity::Warning, &None));
    assert!(matches!(&crm.way, Way::Hook { form: Form::Standard, keys, .. } if keys.len() == 2));
    assert_eq!(ops.kinds, Some(vec![NoticeKind::RunFailed]));
    let Way::Mail { to, server } = &office.way else { panic!("a mail") };
    assert_eq!(
        (to.as_slice(), server.host.as_str(), server.port),
        (&["it@north.example".to_owned()][..], "mail.vendor.example", 465)
    );
    assert_eq!((server.security, &server.login), (Security::Tls, &None));
    assert_eq!((settings.outbox.tries_max, settings.outbox.pause_first_secs, settings.outbox.timeout_secs), (16, 10, 10));
    assert_eq!((settings.outbox.keep_days, settings.outbox.keep_dead_days), (90, 365));
    assert!(!format!("{settings:?}").contains("chat.example/hook"), "an address of a chat is a secret");
}

#[test]
fn channels_that_do_not_do_are_told() {
    let mail = "[[channel]]\nid = \"m\"\nkind = \"mail\"\nto = [\"a@x.example\"]";
    let smtp = "[smtp]\nserver = \"mail.x.example:25\"\nfrom = \"a@x.example\"";
    let hook = |keys: &str| format!("[[channel]]\nid = \"h\"\nkind = \"webhook\"\n{keys}");
    let good_hook = format!("address = \"https://x.example\"\nsecret = \"{KEY}\"");
    for (global, line) in [
        (mail.to_owned(), "smtp.server is missing: there is mail to send"),
        (format!("{smtp}\n{}", mail.replace("a@x.example", "a.x.example")), "channel.m.to = \"a.x.example\" is no mailbox"),
        (format!("{smtp}\n[[channel]]\nid = \"m\"\nkind = \"mail\""), "channel.m.to is missing"),
        (format!("{smtp}\nsecurity = \"none\"\n{mail}"), "smtp.security = \"none\" is for a server on this machine"),
        (format!("{smtp}\npassword = \"p\"\n{mail}"), "smtp.user is missing: there is a password"),
        (hook(&good_hook.replace("https", "http")), "channel.h.address does not begin with https://"),
        (hook(&good_hook.replace("whsec_", "")), "channel.h.secret does not begin with whsec_"),
        (hook(&format!("{good_hook}\nnotices = [\"overage_mayor\"]")), "did you mean `overage_major`?"),
        (hook(&format!("{good_hook}\nto = [\"a@x.example\"]")), "channel.h.to = [\"a@x.example\"] means nothing"),
        (format!("{smtp}\n{mail}\n{good_hook}"), "channel.m.secret means nothing with kind = \"mail\""),
        (format!("{smtp}\n{mail}\naddress_env = \"A\""), "channel.m.address_env = \"A\" means nothing with kind = \"mail\""),
        (
            hook(&format!("{good_hook}\nold_secret_file = \"k\"")).replace("webhook", "slack"),
            "channel.h.old_secret_file = \"k\" means nothing with a chat: only kind = \"webhook\" is signed",
        ),
        (format!("{}\n{}", hook(&good_hook), hook(&good_hook)), "channel.h.id = \"h\" is the id of two channels"),
        ("[[channel]]\nid = \"s\"\nkind = \"slak\"".to_owned(), "channel.s.kind = \"slak\""),
    ] {
        let told = wrong(&with(&global, "")).join("\n");
        assert!(told.contains(line), "{line}\n{told}");
        assert!(!told.contains(KEY) && !told.contains("http://x.example"), "{told}");
    }
}
