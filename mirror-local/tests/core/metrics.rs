//! `GetMetricData` from outside: both protocols, what is refused, and numbers of any size.

use insta::assert_snapshot;
use mirror_local::{Cloud, Response};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Makes a call in the Query protocol.
fn send(cloud: &Cloud, form: &str) -> Response {
    let (head, ()) = http::Request::post("/").body(()).expect("a plain request").into_parts();
    let body = format!("Version=2010-08-01&Action=GetMetricData&{form}");
    cloud.call(&head, body.as_bytes()).response.expect("no fault drops the connection")
}

/// Makes a call with a header and a JSON body.
fn send_json(cloud: &Cloud, (name, value): (&str, &str), body: &Json) -> Response {
    let request = http::Request::post("/").header(name, value).body(());
    let (head, ()) = request.expect("a plain request").into_parts();
    let reply = cloud.call(&head, body.to_string().as_bytes());
    reply.response.expect("no fault drops the connection")
}

const TARGET: (&str, &str) = ("x-amz-target", "GraniteServiceVersion20100801.GetMetricData");

const QUERY: &str = "MetricDataQueries.member.1.Id=q\
                     &MetricDataQueries.member.1.MetricStat.Metric.Namespace=AWS/EC2\
                     &MetricDataQueries.member.1.MetricStat.Metric.MetricName=NetworkMirrorIn\
                     &MetricDataQueries.member.1.MetricStat.Period=60\
                     &MetricDataQueries.member.1.MetricStat.Stat=Sum\
                     &StartTime=2026-01-02T03:04:05Z&EndTime=2026-01-02T03:05:05Z";

#[test]
fn nothing_is_told_of_what_nobody_counts() {
    let cloud = Cloud::in_memory();
    let told = send(&cloud, QUERY);
    assert_snapshot!(told.body.replace(&told.request_id, "REQUEST"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <GetMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><GetMetricDataResult><MetricDataResults><member><Id>q</Id><Label>NetworkMirrorIn</Label><Timestamps></Timestamps><Values></Values><StatusCode>Complete</StatusCode></member></MetricDataResults><Messages></Messages></GetMetricDataResult><ResponseMetadata><RequestId>REQUEST</RequestId></ResponseMetadata></GetMetricDataResponse>
    "#);
    let query = json!({
        "Id": "q",
        "MetricStat": {
            "Metric": { "Namespace": "AWS/EC2", "MetricName": "NetworkMirrorIn" },
            "Period": 60,
            "Stat": "Sum",
        },
    });
    let asked = json!({
        "MetricDataQueries": [query], "StartTime": 1_767_323_045, "EndTime": 1_767_323_105.5,
    });
    let told = send_json(&cloud, TARGET, &asked);
    assert_eq!((told.status, told.content_type), (200, "application/x-amz-json-1.0"));
    assert_snapshot!(told.body, @r#"{"Messages":[],"MetricDataResults":[{"Id":"q","Label":"NetworkMirrorIn","StatusCode":"Complete","Timestamps":[],"Values":[]}]}"#);
}

#[test]
fn what_is_not_in_order_is_refused_in_the_words_of_the_protocol() {
    let cloud = Cloud::in_memory();
    let refused = |form: &str| {
        let response = send(&cloud, form);
        let text = response.body.split("<Message>").nth(1).and_then(|it| it.split('<').next());
        format!("{}: {}", response.error.unwrap_or_default(), text.unwrap_or_default())
    };
    let without = |parameter: &str| {
        let kept = QUERY.split('&').filter(|it| !it.contains(parameter)).collect::<Vec<_>>();
        refused(&kept.join("&"))
    };
    let with = |from: &str, to: &str| refused(&QUERY.replace(from, to));
    let said = [
        without("MetricDataQueries"),
        without(".Id="),
        without("Period"),
        without("Namespace"),
        without("EndTime"),
        with("Id=q", "Id=Q"),
        with("Period=60", "Period=59"),
        with("Stat=Sum", "Stat=p99"),
        with("EndTime=2026-01-02T03:05:05Z", "EndTime=tomorrow"),
        with("EndTime=2026-01-02T03:05:05Z", "EndTime=2026-01-02T03:04:05Z"),
        refused(&format!("{QUERY}&NextToken=x")),
        refused(&format!("{QUERY}&MetricDataQueries.member.1.Expression=q*2")),
        refused(&format!("{QUERY}&{}", QUERY.replace("member.1.", "member.2."))),
    ];
    assert_snapshot!(said.join("\n"), @"
    ValidationError: The request must contain the parameter MetricDataQueries
    ValidationError: The request must contain the parameter MetricDataQueries.member.1.Id
    ValidationError: The request must contain the parameter MetricDataQueries.member.1.MetricStat.Period
    ValidationError: The request must contain the parameter MetricDataQueries.member.1.MetricStat.Metric.Namespace
    ValidationError: The request must contain the parameter EndTime
    ValidationError: Value (Q) for parameter MetricDataQueries.member.1.Id is invalid. It must begin with a small letter, and have letters, digits and _
    ValidationError: Value (59) for parameter MetricDataQueries.member.1.MetricStat.Period is invalid. It must be a multiple of 60
    ValidationError: Value (p99) for parameter MetricDataQueries.member.1.MetricStat.Stat is invalid. mirror-local does not implement this statistic
    ValidationError: Value (tomorrow) for parameter EndTime is invalid. The value is no time
    ValidationError: The parameter StartTime must be less than the parameter EndTime.
    InvalidNextToken: The token is not valid
    UnsupportedOperation: mirror-local does not implement the parameter MetricDataQueries.member.1.Expression
    ValidationError: The ids of queries must differ
    ");
    let refused = send_json(&cloud, TARGET, &json!({}));
    assert_eq!(refused.status, 400);
    assert_snapshot!(format!("{:?}\n{}", refused.headers, refused.body), @r#"
    [("x-amzn-query-error", "ValidationError;Sender")]
    {"__type":"ValidationError","message":"The request must contain the parameter StartTime"}
    "#);
    // The refusal names the protocol of newly generated SDKs.
    let refused = send_json(&cloud, ("smithy-protocol", "rpc-v2-cbor"), &json!({}));
    assert!(refused.body.contains("does not speak the protocol rpc-v2-cbor"), "{}", refused.body);
}

proptest! {
    #[test]
    fn no_number_makes_a_call_panic(
        token: u64, points: i64, from: i64, to: i64, period: i64, second in "[0-9TZ:.-]{0,20}",
    ) {
        let cloud = Cloud::in_memory();
        for (from, to) in [(from.to_string(), to.to_string()), (second.clone(), "9".to_owned())] {
            let form = QUERY
                .replace("2026-01-02T03:04:05Z", &from)
                .replace("2026-01-02T03:05:05Z", &to)
                .replace("Period=60", &format!("Period={period}"));
            let form = format!("{form}&NextToken=datapoint-{token}&MaxDatapoints={points}");
            let status = send(&cloud, &form).status;
            prop_assert!(status == 200 || status == 400, "{status}");
        }
    }
}
