//! Choices: attributes that hold one of a few words.

use std::fmt;
use std::str::FromStr;

use super::text::ScalarError;
use crate::address::serde_as_text;
use crate::attribute::{AttributeType, ProblemSort, Problems, Type};
use crate::value::{Path, Value};

/// Declares a choice of words: the only table between variants and texts.
macro_rules! choices {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident { $($(#[doc = $variant_doc:literal])+ $variant:ident = $word:literal,)+ }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[doc = $variant_doc])+ $variant,)+ }

        impl $name {
            const WORDS: &[&str] = &[$($word),+];
            const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word in the stack file and in plans.
            #[must_use]
            pub fn word(self) -> &'static str {
                Self::WORDS[self as usize]
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl FromStr for $name {
            type Err = ScalarError;

            fn from_str(text: &str) -> Result<Self, ScalarError> {
                Self::ALL.iter().copied().find(|choice| choice.word() == text).ok_or_else(|| {
                    let words = crate::attribute::listed(Self::WORDS.iter().copied());
                    ScalarError(format!("`{text}` is not one of {words}"))
                })
            }
        }

        serde_as_text!($name);

        impl AttributeType for $name {
            const TYPE: Type = Type::Choice(Self::WORDS);

            fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
                let Value::String(text) = value else {
                    let words = crate::attribute::listed(Self::WORDS.iter().copied());
                    problems.expected(at, &format!("one of {words}"), value);
                    return None;
                };
                text.parse()
                    .map_err(|error: ScalarError| problems.add(ProblemSort::Value, at, error.to_string()))
                    .ok()
            }

            fn to_value(&self) -> Value {
                Value::String(self.word().to_owned())
            }
        }
    )+};
}

choices! {
    /// Which way a packet goes, seen from the mirrored interface.
    Direction {
        /// It arrives at the interface.
        Ingress = "ingress",
        /// It leaves the interface.
        Egress = "egress",
    }
    /// What a filter rule does with the packets it matches.
    RuleAction {
        /// They are mirrored.
        Accept = "accept",
        /// They are not.
        Reject = "reject",
    }
    /// The protocol of a target group, or of a listener of a Network Load Balancer. VXLAN is UDP.
    ElbProtocol {
        /// UDP: what carries VXLAN.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
        /// TCP and UDP on one port.
        TcpUdp = "tcp_udp",
        /// TLS over TCP.
        Tls = "tls",
        /// GENEVE, in which a Gateway Load Balancer wraps what it sends on.
        Geneve = "geneve",
    }
    /// The protocol of health checks. UDP is not one: nothing would answer.
    ///
    /// Source: Network Load Balancer guide, "Health checks for your target groups".
    HealthProtocol {
        /// A TCP connection.
        Tcp = "tcp",
        /// An HTTP request.
        Http = "http",
        /// An HTTPS request.
        Https = "https",
    }
    /// What makes an instance of an Auto Scaling group count as unhealthy.
    ///
    /// Source: Amazon EC2 Auto Scaling user guide, "Health checks for instances in an Auto Scaling group".
    HealthSource {
        /// Only an impaired machine.
        Ec2 = "ec2",
        /// Also a failed health check of a target group.
        Elb = "elb",
    }
    /// Where a load balancer can be reached from.
    Scheme {
        /// From its VPC and what is connected to it.
        Internal = "internal",
        /// From the internet.
        InternetFacing = "internet-facing",
    }
    /// Which interfaces of an instance are meant.
    Interfaces {
        /// The first, which every instance has.
        Primary = "primary",
        /// All of them.
        All = "all",
    }
    /// What a reviewed plan states about the sessions over sources.
    Reviewed {
        /// Each session: a different interface makes a different plan.
        Exact = "exact",
        /// How many there may be: interfaces may come and go.
        Count = "count",
    }
}
