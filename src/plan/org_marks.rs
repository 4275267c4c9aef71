//! What a roster changes in the orgs that the books know.

use crate::license::OrgMark;
use crate::roster::{OrgIx, Roster};

/// The orgs, by id, that are not as the books have them: new, renamed, moved, ended or delivered no more.
pub(crate) fn org_changes(known: &[OrgMark], roster: &Roster) -> Vec<OrgMark> {
    let mut changes = Vec::new();
    let mut known = known.iter().peekable();
    let gone = |mark: &OrgMark| (!mark.ended).then(|| OrgMark { ended: true, ..mark.clone() });
    for at in (0u32..).take(roster.orgs.len()).map(OrgIx) {
        let id = |at: OrgIx| roster.text(roster.org(at).id);
        while let Some(absent) = known.next_if(|mark| mark.id.as_str() < id(at)) {
            changes.extend(gone(absent));
        }
        let org = roster.org(at);
        let (name, parent) = (roster.text(org.name), org.parent.map(id));
        let same = |mark: &&OrgMark| {
            mark.name == name && mark.parent.as_ref().map(|parent| parent.as_str()) == parent && mark.ended == org.ended
        };
        if known.next_if(|mark| mark.id.as_str() == id(at)).filter(same).is_none() {
            changes.push(OrgMark { id: id(at).into(), name: name.into(), parent: parent.map(Into::into), ended: org.ended });
        }
    }
    changes.extend(known.filter_map(gone));
    changes
}
