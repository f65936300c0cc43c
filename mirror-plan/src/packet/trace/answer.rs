//! The answer about one packet: what becomes of it at each interface that sees it.

use super::{
    Cut, Headers, Interface, Limit, Mirroring, Opinion, Session, Sighting, Tracer, Verdict,
};

/// What becomes of a packet at one interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<'m> {
    /// The interface.
    pub interface: &'m Interface,
    /// How it sees the packet.
    pub sighting: Sighting,
    /// What becomes of it.
    pub verdict: Verdict,
    /// What each session would do with it if it were the only one.
    pub opinions: Vec<Opinion>,
    /// What is sent, if it is mirrored.
    pub sent: Option<Sent<'m>>,
}

/// What a session sends of a packet.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent<'m> {
    /// The session.
    pub session: &'m Session,
    /// The longest frame that it sends uncut, in bytes, and why.
    pub limit: Option<(u32, Limit)>,
    /// What becomes of the frame, if its length is known.
    pub cut: Option<Cut>,
}

/// Returns what becomes of a packet, whose frame has `length` bytes, at each interface that sees
/// it.
#[must_use]
pub fn answers<'m>(
    (mirroring, tracer): (&'m Mirroring, &Tracer),
    headers: &Headers,
    length: Option<u32>,
) -> Vec<Answer<'m>> {
    let sightings = mirroring.sightings(headers).into_iter();
    let answers = sightings.map(|sighting| {
        let (place, direction) = (sighting.interface, sighting.direction);
        let interface = &mirroring.interfaces[place];
        let verdict = tracer.decide(place, direction, headers);
        let sent = match verdict {
            Verdict::Mirrored { session, by: _ } => Some(Sent {
                session: &interface.sessions[usize::from(session)],
                limit: tracer.limit(place, session, headers),
                cut: length.map(|length| tracer.cut(place, session, headers, length)),
            }),
            Verdict::Rejected { .. }
            | Verdict::NoRule
            | Verdict::AmazonDnsUnasked
            | Verdict::Never(_)
            | Verdict::NoSession => None,
        };
        let opinions = tracer.opinions(place, direction, headers);
        Answer { interface, sighting, verdict, opinions, sent }
    });
    answers.collect()
}
