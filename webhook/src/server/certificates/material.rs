//! Certificates and keys, and when they are replaced. The clock is an argument.
//!
//! Each certificate has an authority of its own, whose key is forgotten once it has signed. A new pair is first *staged*: the API
//! server is told to trust it while the old one is still served. Only then is it served, and the old authority is trusted a while
//! longer, until no replica serves its certificate.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use k8s_openapi::ByteString;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// How far clocks may be apart.
const SKEW: Duration = Duration::from_hours(1);

/// What certificates are like.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// The names and addresses that a certificate is for.
    pub(super) names: Vec<String>,
    /// For how long it is valid.
    pub(super) lifetime: Duration,
}

impl Policy {
    /// How long a new certificate is trusted before it is served, and an old one after.
    pub(super) fn overlap(&self) -> Duration {
        (self.lifetime / 20).min(Duration::from_mins(1))
    }
}

/// A certificate, its key, and the authority that vouches for it, all as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) authority: String,
    pub(super) certificate: String,
    pub(super) key: String,
    /// From when on it is valid.
    pub(super) begins: SystemTime,
    /// When it ends.
    pub(super) expires: SystemTime,
}

/// Everything that the Secret holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Material {
    /// What is served.
    pub(super) present: Option<Pair>,
    /// What will be, once it is trusted everywhere.
    pub(super) next: Option<Pair>,
    /// The authority of what was served before.
    pub(super) previous: Option<String>,
    /// When the last of these changed.
    pub(super) changed: Option<SystemTime>,
}

impl Pair {
    fn mint(policy: &Policy, now: SystemTime) -> anyhow::Result<Self> {
        let (begins, expires) = (now - SKEW, now + policy.lifetime);
        let authority_key = KeyPair::generate().context("can't make a key")?;
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "plimsoll-webhook-ca");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        (authority.not_before, authority.not_after) = (begins.into(), expires.into());
        let authority_certificate = authority.self_signed(&authority_key).context("can't sign")?;
        let key = KeyPair::generate().context("can't make a key")?;
        let mut own = CertificateParams::new(policy.names.clone()).context("a name is none")?;
        own.distinguished_name.push(DnType::CommonName, "plimsoll-webhook");
        (own.not_before, own.not_after) = ((now - SKEW).into(), expires.into());
        let certificate =
            own.signed_by(&key, &Issuer::new(authority, authority_key)).context("can't sign")?;
        Ok(Self {
            authority: authority_certificate.pem(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            begins,
            expires,
        })
    }

    /// Whether it is valid; not if it was made while the clock was ahead.
    fn is_valid(&self, now: SystemTime) -> bool {
        self.begins <= now && now < self.expires
    }

    /// Whether it has to be replaced soon.
    fn is_old(&self, policy: &Policy, now: SystemTime) -> bool {
        self.expires.duration_since(now).unwrap_or_default() < policy.lifetime / 3
    }
}

impl Material {
    /// What has to be written, if anything has: one step at a time. `trusted` tells whether the API server trusts an authority.
    pub(super) fn step(
        &self,
        policy: &Policy,
        now: SystemTime,
        trusted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Option<Self>> {
        let changed = Some(now);
        let Some(present) = self.present.as_ref().filter(|present| present.is_valid(now)) else {
            // Nothing that is valid is lost, so there is nothing to wait for.
            return Ok(Some(Self { present: Some(Pair::mint(policy, now)?), changed, ..Self::default() }));
        };
        if self.next.as_ref().is_some_and(|next| !next.is_valid(now)) {
            return Ok(Some(Self { next: None, changed, ..self.clone() }));
        }
        if self.changed.is_some_and(|changed| changed > now + policy.overlap()) {
            // The clock was ahead then. How long ago that was nobody knows, so the wait begins again.
            return Ok(Some(Self { changed, ..self.clone() }));
        }
        let settled = self
            .changed
            .is_none_or(|changed| now.duration_since(changed).unwrap_or_default() >= policy.overlap());
        Ok(match &self.next {
            Some(next) if settled && trusted(&next.authority) => Some(Self {
                present: Some(next.clone()),
                next: None,
                previous: Some(present.authority.clone()),
                changed,
            }),
            None if present.is_old(policy, now) => {
                Some(Self { next: Some(Pair::mint(policy, now)?), changed, ..self.clone() })
            }
            None if settled && self.previous.is_some() => {
                Some(Self { previous: None, changed, ..self.clone() })
            }
            _ => None,
        })
    }

    /// The authorities that the API server has to trust, one after the other.
    pub(super) fn bundle(&self) -> String {
        let present = self.present.iter().map(|pair| pair.authority.as_str());
        let next = self.next.iter().map(|pair| pair.authority.as_str());
        present.chain(next).chain(self.previous.as_deref()).collect()
    }

    /// As it stands in a Secret.
    pub(super) fn to_data(&self) -> BTreeMap<String, ByteString> {
        let mut data = BTreeMap::new();
        let mut add = |key: &str, text: &str| {
            data.insert(key.to_owned(), ByteString(text.as_bytes().to_vec()));
        };
        for (prefix, pair) in [("", &self.present), ("next-", &self.next)] {
            let Some(pair) = pair else { continue };
            add(&format!("{prefix}ca.crt"), &pair.authority);
            add(&format!("{prefix}tls.crt"), &pair.certificate);
            add(&format!("{prefix}tls.key"), &pair.key);
            add(&format!("{prefix}begins"), &seconds(pair.begins));
            add(&format!("{prefix}expires"), &seconds(pair.expires));
        }
        if let Some(previous) = &self.previous {
            add("previous-ca.crt", previous);
        }
        if let Some(changed) = self.changed {
            add("changed", &seconds(changed));
        }
        data
    }

    /// Reads a Secret; what can't be read counts as absent, and is made anew.
    pub(super) fn from_data(data: &BTreeMap<String, ByteString>) -> Self {
        let text = |key: &str| data.get(key).and_then(|bytes| String::from_utf8(bytes.0.clone()).ok());
        let time = |key: &str| {
            let seconds = text(key)?.parse().ok()?;
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
        };
        let pair = |prefix: &str| {
            Some(Pair {
                authority: text(&format!("{prefix}ca.crt"))?,
                certificate: text(&format!("{prefix}tls.crt"))?,
                key: text(&format!("{prefix}tls.key"))?,
                begins: time(&format!("{prefix}begins"))?,
                expires: time(&format!("{prefix}expires"))?,
            })
        };
        Self {
            present: pair(""),
            next: pair("next-"),
            previous: text("previous-ca.crt"),
            changed: time("changed"),
        }
    }
}

/// Whole seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> String {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy { names: vec!["127.0.0.1".to_owned()], lifetime: Duration::from_mins(50) }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn is_replaced_step_by_step_and_trusted_throughout() {
        let step = |material: &Material, seconds, trusted: bool| {
            material.step(&policy(), at(seconds), |_| trusted).unwrap()
        };
        let first = step(&Material::default(), 0, false).unwrap();
        let authority = first.present.as_ref().unwrap().authority.clone();
        assert_eq!(step(&first, 1999, true), None, "more than a third is left");
        let staged = step(&first, 2001, true).unwrap();
        assert_eq!(staged.present, first.present);
        let next = staged.next.clone().unwrap();
        assert_eq!(staged.bundle(), format!("{authority}{}", next.authority));
        assert_eq!(step(&staged, 2060, true), None, "some API server may not have heard yet");
        assert_eq!(step(&staged, 2061, false), None, "no API server trusts it");
        let promoted = step(&staged, 2061, true).unwrap();
        assert_eq!(promoted.present, Some(next.clone()));
        assert_eq!(promoted.bundle(), format!("{}{authority}", next.authority));
        assert_eq!(step(&promoted, 2100, true), None, "some replica may still serve the old one");
        let settled = step(&promoted, 2121, true).unwrap();
        assert_eq!(settled.bundle(), next.authority);
        assert_eq!(step(&settled, 2300, true), None);
    }

    #[test]
    fn what_has_expired_or_is_broken_is_made_anew() {
        let first = Material::default().step(&policy(), at(0), |_| false).unwrap().unwrap();
        let anew = first.step(&policy(), at(3001), |_| true).unwrap().unwrap();
        assert_ne!(anew.present, first.present);
        let mut data = first.to_data();
        data.remove("tls.key");
        assert_eq!(Material::from_data(&data).present, None);
    }

    #[test]
    fn a_clock_that_was_ahead_leaves_nothing_stuck() {
        const AHEAD: u64 = 1_000_000;
        let step = |material: &Material, seconds| material.step(&policy(), at(seconds), |_| true).unwrap();
        // Made ahead of time, and not valid before.
        let ahead = step(&Material::default(), AHEAD).unwrap();
        let anew = step(&ahead, 0).unwrap();
        assert_ne!(anew.present, ahead.present);
        assert_eq!(step(&anew, 1), None);
        // Staged ahead of time.
        let ahead = Material { next: ahead.present, changed: Some(at(AHEAD)), ..anew.clone() };
        let dropped = step(&ahead, 10).unwrap();
        assert_eq!((&dropped.present, &dropped.next), (&anew.present, &None));
        // Staged in time, and the note of it written ahead of time: the wait begins again.
        let staged = step(&anew, 2001).unwrap();
        let noted_ahead = Material { changed: Some(at(AHEAD)), ..staged.clone() };
        let waiting = step(&noted_ahead, 2010).unwrap();
        assert_eq!(waiting, Material { changed: Some(at(2010)), ..staged });
        assert_eq!(step(&waiting, 2069), None);
        assert_eq!(step(&waiting, 2070).unwrap().present, waiting.next);
    }

    #[test]
    fn a_clock_that_jumps_ahead_makes_a_certificate_anew() {
        let first = Material::default().step(&policy(), at(0), |_| true).unwrap().unwrap();
        let ahead = first.step(&policy(), at(1_000_000), |_| true).unwrap().unwrap();
        assert_ne!(ahead.present, first.present);
        assert_eq!(ahead.step(&policy(), at(1_000_001), |_| true).unwrap(), None);
    }

    #[test]
    fn is_read_as_it_was_written() {
        let first = Material::default().step(&policy(), at(0), |_| false).unwrap().unwrap();
        let staged = first.step(&policy(), at(2500), |_| false).unwrap().unwrap();
        assert_eq!(Material::from_data(&staged.to_data()), staged);
        let promoted = staged.step(&policy(), at(2600), |_| true).unwrap().unwrap();
        assert_eq!(Material::from_data(&promoted.to_data()), promoted);
    }
}
