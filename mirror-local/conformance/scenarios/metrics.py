"""Counters of CloudWatch, in both protocols that boto3 can speak to it."""

import datetime

from client import check


def counters(cloud):
    """Asks for what instances have mirrored, of instances that are there and of one that is not."""
    described = cloud.ec2.describe_instances()["Reservations"]
    instances = [i["InstanceId"] for r in described for i in r["Instances"]] + ["i-00000000000000000"]
    wanted = [
        query(number, instance, metric)
        for number, (instance, metric) in enumerate(
            (instance, metric) for instance in instances for metric in ("NetworkMirrorIn", "NetworkPacketsMirrorOut")
        )
    ]
    now = datetime.datetime.now(datetime.timezone.utc)
    asked = dict(
        MetricDataQueries=wanted,
        StartTime=now - datetime.timedelta(minutes=30),
        EndTime=now + datetime.timedelta(minutes=1),
    )
    answers = [told(client, **asked) for client in (cloud.metrics, cloud.metrics_in_xml)]
    check(answers[0] == answers[1], "the two protocols say something else")
    check(set(answers[0]) == {q["Id"] for q in wanted}, "not every query is answered")
    check(answers[0][wanted[-1]["Id"]] == [], "there is something of an instance that is not there")
    if cloud.standing:
        check(any(values for values in answers[0].values()), "nothing was counted")
    for client in (cloud.metrics, cloud.metrics_in_xml):
        cloud.refused("InvalidNextToken", client.get_metric_data, NextToken="none", **asked)
        cloud.refused("ValidationError", client.get_metric_data, **{**asked, "EndTime": asked["StartTime"]})


def told(client, **asked):
    """Returns the data points by the ids of queries, from pages of one data point each."""
    points, token = {}, {}
    while True:
        page = client.get_metric_data(MaxDatapoints=1, **asked, **token)
        for result in page["MetricDataResults"]:
            both = zip((t.timestamp() for t in result["Timestamps"]), result["Values"])
            points.setdefault(result["Id"], []).extend(both)
        if "NextToken" not in page:
            return points
        token = {"NextToken": page["NextToken"]}


def query(number, instance, metric):
    return {
        "Id": f"q{number}",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/EC2",
                "MetricName": metric,
                "Dimensions": [{"Name": "InstanceId", "Value": instance}],
            },
            "Period": 300,
            "Stat": "Sum",
        },
    }
