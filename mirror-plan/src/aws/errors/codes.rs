//! The meaning of AWS's error codes: the only table of them, by call.
//!
//! The documentation ends some codes in `Exception` that the service sends without it, and spells some codes of Traffic
//! Mirroring differently from EC2; both forms are accepted. Codes that are not in the table are classified by the
//! naming patterns of AWS's codes.
//!
//! What a kind means depends on what the call does. A call that creates or changes something is sent again after
//! [`NotFound`](ErrorKind::NotFound), if it names something that this stack created, and after
//! [`Busy`](ErrorKind::Busy); a call that removes something, after [`InUse`](ErrorKind::InUse) and `Busy`. A throttled
//! call is always sent again.
//!
//! Sources: EC2 API reference, "Error codes"; ELBv2, Amazon EC2 Auto Scaling and AWS RAM API references, the errors of
//! each action.

use super::ErrorKind;

/// A row of the table.
struct Meaning {
    /// The calls that the row is for; empty for all calls.
    calls: &'static [&'static str],
    codes: &'static [&'static str],
    /// What AWS's message contains in addition, if the code alone can mean several things.
    words: &'static [&'static str],
    kind: ErrorKind,
}

/// Rows for single calls come first: the first row that matches applies.
const MEANINGS: [Meaning; 24] = [
    // AWS keeps describing a connection for hours after it has ended.
    Meaning {
        calls: &["DeleteVpcPeeringConnection"],
        codes: &["InvalidStateTransition"],
        words: &["to deleting"],
        kind: ErrorKind::NotFound,
    },
    // An answer was lost, or somebody else was faster.
    Meaning {
        calls: &["AcceptVpcPeeringConnection"],
        codes: &["InvalidStateTransition"],
        words: &["from active", "from provisioning"],
        kind: ErrorKind::AlreadyThere,
    },
    // The transit gateway was created long ago by somebody else: if it does not exist, that is a mistake.
    Meaning {
        calls: &["CreateTransitGatewayVpcAttachment"],
        codes: &["InvalidTransitGatewayID.NotFound"],
        words: &[],
        kind: ErrorKind::Refused,
    },
    // EC2 sees with a delay what Elastic Load Balancing has created, and sees a service by its name with a delay too.
    Meaning {
        calls: &["CreateVpcEndpointServiceConfiguration", "ModifyVpcEndpointServiceConfiguration"],
        codes: &["InvalidParameter"],
        words: &["does not exist"],
        kind: ErrorKind::NotFound,
    },
    Meaning {
        calls: &["CreateVpcEndpoint"],
        codes: &["InvalidServiceName"],
        words: &[],
        kind: ErrorKind::NotFound,
    },
    // Routes that lead to an endpoint, and other users of it.
    Meaning {
        calls: &["DeleteVpcEndpoints"],
        codes: &["InvalidParameter"],
        words: &["must be removed"],
        kind: ErrorKind::InUse,
    },
    // Elastic Load Balancing sees later than EC2 what EC2 has created, and has no code for that.
    Meaning {
        calls: &["CreateTargetGroup"],
        codes: &["ValidationError"],
        words: &["is not found"],
        kind: ErrorKind::NotFound,
    },
    Meaning {
        calls: &["RegisterTargets"],
        codes: &["InvalidTarget"],
        words: &["do not exist", "not in a running state"],
        kind: ErrorKind::NotFound,
    },
    Meaning {
        calls: &["CreateLoadBalancer", "SetSecurityGroups"],
        codes: &["InvalidSecurityGroup"],
        words: &[],
        kind: ErrorKind::NotFound,
    },
    // A group is deleted once its instances are, and keeps its name until then.
    Meaning {
        calls: &["CreateAutoScalingGroup"],
        codes: &["AlreadyExists"],
        words: &["pending delete"],
        kind: ErrorKind::Busy,
    },
    // Auto Scaling has one code for everything that it does not accept, and sees with a delay what EC2 and Elastic Load
    // Balancing have created.
    Meaning {
        calls: &["DeleteAutoScalingGroup", "DeleteTags"],
        codes: &["ValidationError"],
        words: &["not found", "pending delete"],
        kind: ErrorKind::NotFound,
    },
    Meaning {
        calls: &[
            "CreateAutoScalingGroup",
            "UpdateAutoScalingGroup",
            "AttachLoadBalancerTargetGroups",
            "DetachLoadBalancerTargetGroups",
            "DescribeLoadBalancerTargetGroups",
            "DescribeScalingActivities",
            "CreateOrUpdateTags",
        ],
        codes: &["ValidationError"],
        words: &["does not exist", "not found"],
        kind: ErrorKind::NotFound,
    },
    Meaning {
        calls: &["CreateAutoScalingGroup", "UpdateAutoScalingGroup"],
        codes: &["ValidationError"],
        words: &["not authorized"],
        kind: ErrorKind::Denied,
    },
    Meaning {
        calls: &["CreateAutoScalingGroup", "UpdateAutoScalingGroup"],
        codes: &["LimitExceeded"],
        words: &[],
        kind: ErrorKind::Limit,
    },
    Meaning {
        calls: &[],
        codes: &["ScalingActivityInProgress", "ResourceContention"],
        words: &[],
        kind: ErrorKind::Busy,
    },
    // Resource Access Manager uses this code for shares, for what is in them and for what is to be added to them: it
    // sees with a delay what EC2 has created.
    Meaning { calls: &[], codes: &["UnknownResource"], words: &[], kind: ErrorKind::NotFound },
    // A route that is created before its gateway is attached, or deleted after the gateway is detached.
    Meaning { calls: &[], codes: &["Gateway.NotAttached"], words: &[], kind: ErrorKind::NotFound },
    Meaning {
        calls: &[],
        codes: &[
            "Throttling",
            "Throttled",
            "RequestThrottled",
            "RequestLimitExceeded",
            "TooManyRequests",
            "BandwidthLimitExceeded",
            "EC2Throttled",
            "SlowDown",
        ],
        words: &[],
        kind: ErrorKind::Throttled,
    },
    Meaning {
        calls: &[],
        codes: &[
            "UnauthorizedOperation",
            "AccessDenied",
            "AuthFailure",
            "Blocked",
            "OptInRequired",
            "ExpiredToken",
            "RequestExpired",
            "InvalidClientTokenId",
            "UnrecognizedClient",
            "SignatureDoesNotMatch",
            "MissingAuthenticationToken",
            "PendingVerification",
        ],
        words: &[],
        kind: ErrorKind::Denied,
    },
    Meaning {
        calls: &[],
        codes: &[
            "InsufficientInstanceCapacity",
            "InsufficientHostCapacity",
            "InsufficientCapacity",
            "InsufficientReservedInstanceCapacity",
        ],
        words: &[],
        kind: ErrorKind::Capacity,
    },
    Meaning {
        calls: &[],
        codes: &[
            "DependencyViolation",
            "ResourceInUse",
            "CannotDelete",
            "ExistingVpcEndpointConnections",
        ],
        words: &[],
        kind: ErrorKind::InUse,
    },
    Meaning {
        calls: &[],
        codes: &[
            "ConcurrentTagAccess",
            "IncorrectState",
            "IncorrectInstanceState",
            "InvalidStateTransition",
            "PriorRequestNotComplete",
            "OperationInProgress",
        ],
        words: &[],
        kind: ErrorKind::Busy,
    },
    Meaning {
        calls: &[],
        codes: &[
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "ServerInternal",
            "Unavailable",
            "ServiceUnavailable",
            "RequestTimeout",
            "HealthUnavailable",
        ],
        words: &[],
        kind: ErrorKind::Unknown,
    },
    Meaning {
        calls: &[],
        codes: &[
            "RouteAlreadyExists",
            "Resource.AlreadyAssociated",
            "InvalidSubnet.Conflict",
            "InvalidIPAddress.InUse",
            "InvalidKeyPair.Duplicate",
            "IdempotentParameterMismatch",
            "VpcPeeringConnectionAlreadyExists",
            "InterfaceInUseByTrafficMirrorSession",
            "InterfaceInUseByTrafficMirrorTarget",
            "NlbInUseByTrafficMirrorTarget",
        ],
        words: &[],
        kind: ErrorKind::AlreadyThere,
    },
];

/// AWS's answer to a call that it refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal<'a> {
    pub(super) call: &'a str,
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) status: Option<u16>,
}

impl Refusal<'_> {
    /// Returns what to do about it.
    pub(super) fn kind(self) -> ErrorKind {
        let meaning = MEANINGS.iter().find(|meaning| meaning.fits(self));
        meaning.map_or_else(|| self.kind_by_form(), |meaning| meaning.kind)
    }

    /// Classifies codes that follow the naming patterns of AWS's codes.
    fn kind_by_form(self) -> ErrorKind {
        let code = plain(self.code);
        let ends = |endings: &[&str]| endings.iter().any(|ending| code.ends_with(ending));
        // The documentation spells `InvalidTrafficMirrorTargetNoFound` like this.
        if ends(&["NotFound", "NoFound"]) {
            ErrorKind::NotFound
        } else if ends(&["Duplicate", "AlreadyExists"]) || code.starts_with("Duplicate") {
            ErrorKind::AlreadyThere
        } else if ends(&["LimitExceeded", "Limit"]) || code.starts_with("TooMany") {
            ErrorKind::Limit
        } else if ends(&["InUse"]) {
            ErrorKind::InUse
        } else if self.status.is_some_and(|status| status >= 500) {
            ErrorKind::Unknown
        } else {
            ErrorKind::Refused
        }
    }
}

impl Meaning {
    fn fits(&self, refusal: Refusal<'_>) -> bool {
        let Self { calls, codes, words, kind: _ } = self;
        let Refusal { call, code, message, status: _ } = refusal;
        (calls.is_empty() || calls.contains(&call))
            && codes.contains(&plain(code))
            && (words.is_empty() || words.iter().any(|words| message.contains(words)))
    }
}

/// Returns a code as the service sends it.
fn plain(code: &str) -> &str {
    code.strip_suffix("Exception").unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(call: &str, code: &str, message: &str) -> ErrorKind {
        Refusal { call, code, message, status: Some(400) }.kind()
    }

    #[test]
    fn both_spellings_of_a_code_are_one_kind() {
        for (codes, expected) in [
            (&["InvalidVpcID.NotFound", "LoadBalancerNotFound"][..], ErrorKind::NotFound),
            (
                &["InvalidTrafficMirrorTargetNoFound", "InvalidTrafficMirrorTargetId.NotFound"],
                ErrorKind::NotFound,
            ),
            (&["TrafficMirrorTargetInUse", "TrafficMirrorTargetInUseException"], ErrorKind::InUse),
            (&["DependencyViolation", "InvalidGroup.InUse"], ErrorKind::InUse),
            (&["RequestLimitExceeded", "ThrottlingException"], ErrorKind::Throttled),
            (&["UnknownResourceException"], ErrorKind::NotFound),
            (&["VpcLimitExceeded", "TooManyLoadBalancers"], ErrorKind::Limit),
            (&["ResourceShareLimitExceededException"], ErrorKind::Limit),
            (&["IdempotentParameterMismatchException"], ErrorKind::AlreadyThere),
            (&["InvalidPermission.Duplicate", "DuplicateListener"], ErrorKind::AlreadyThere),
            (
                &["NlbInUseByTrafficMirrorTargetException", "TrafficMirrorFilterRuleAlreadyExists"],
                ErrorKind::AlreadyThere,
            ),
            (&["InvalidParameterValue", "InvalidTarget"], ErrorKind::Refused),
        ] {
            for code in codes {
                assert_eq!(kind("CreateVpc", code, ""), expected, "{code}");
            }
        }
        let new = Refusal { call: "", code: "SomethingNew", message: "", status: Some(503) };
        assert_eq!(new.kind(), ErrorKind::Unknown);
    }

    #[test]
    fn what_auto_scaling_says_in_one_code_is_told_apart() {
        let create = |code, message| kind("CreateAutoScalingGroup", code, message);
        let taken = "AutoScalingGroup by this name already exists - A group with the name lab already exists";
        assert_eq!(create("AlreadyExists", taken), ErrorKind::AlreadyThere);
        let going = format!("{taken} and is pending delete.");
        assert_eq!(create("AlreadyExists", &going), ErrorKind::Busy);
        let late = "You must use a valid fully-formed launch template. The specified launch template, with template \
                    ID lt-0a, does not exist.";
        assert_eq!(create("ValidationError", late), ErrorKind::NotFound);
        assert_eq!(create("ValidationError", "Min bound, 3, is greater"), ErrorKind::Refused);
        let delete = |message| kind("DeleteAutoScalingGroup", "ValidationError", message);
        let gone = "AutoScalingGroup name not found - AutoScalingGroup 'lab' not found";
        assert_eq!(delete(gone), ErrorKind::NotFound);
    }

    #[test]
    fn what_elastic_load_balancing_does_not_see_yet_is_told_from_what_it_refuses() {
        let group = |message| kind("CreateTargetGroup", "ValidationError", message);
        assert_eq!(group("The VPC ID 'vpc-0a' is not found"), ErrorKind::NotFound);
        assert_eq!(group("A port must be specified"), ErrorKind::Refused);
        let register = |message| kind("RegisterTargets", "InvalidTarget", message);
        let late =
            "The following targets are not in a running state and cannot be registered: 'i-0a'";
        assert_eq!(register(late), ErrorKind::NotFound);
        let elsewhere = "The following targets are not in the target group VPC 'vpc-0a': 'i-0a'";
        assert_eq!(register(elsewhere), ErrorKind::Refused);
        assert_eq!(kind("CreateLoadBalancer", "InvalidSecurityGroup", ""), ErrorKind::NotFound);
    }
}
