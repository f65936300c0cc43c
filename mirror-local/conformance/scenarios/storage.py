"""Buckets and objects of S3, and writes that hold only under a condition."""

import email.utils

from client import check


def objects(cloud):
    s3 = cloud.s3
    bucket = {"Bucket": "conformance"}
    cloud.refused("404", s3.head_bucket, **bucket)
    cloud.refused("NoSuchBucket", s3.get_object, Key="a", **bucket)
    s3.create_bucket(**bucket)
    s3.head_bucket(**bucket)
    cloud.refused("NoSuchKey", s3.get_object, Key="a/b", **bucket)

    body = b"what is written\n"
    first = s3.put_object(Key="a/b", Body=body, IfNoneMatch="*", **bucket)["ETag"]
    check(first[0] == first[-1] == '"', first)
    cloud.refused(
        "PreconditionFailed", s3.put_object, Key="a/b", Body=b"other", IfNoneMatch="*", **bucket
    )
    told = s3.get_object(Key="a/b", **bucket)
    check(told["Body"].read() == body, "the object is what was written")
    check((told["ETag"], told["ContentLength"]) == (first, len(body)), told)
    date = email.utils.parsedate_to_datetime(told["ResponseMetadata"]["HTTPHeaders"]["date"])
    check(0 <= (date - told["LastModified"]).total_seconds() < 60, "the clock of the store")
    head = s3.head_object(Key="a/b", **bucket)
    check((head["ETag"], head["LastModified"]) == (first, told["LastModified"]), head)

    second = s3.put_object(Key="a/b", Body=b"other", IfMatch=first, **bucket)["ETag"]
    check(second != first, "another content has another tag")
    stale = {"Key": "a/b", "Body": b"late", "IfMatch": first}
    cloud.refused("PreconditionFailed", s3.put_object, **stale, **bucket)
    cloud.refused("NoSuchKey", s3.put_object, Key="c", Body=b"", IfMatch=first, **bucket)

    s3.put_object(Key="a/c", Body=b"", **bucket)
    page = s3.list_objects_v2(Prefix="a/", MaxKeys=1, **bucket)
    check([each["Key"] for each in page["Contents"]] == ["a/b"], page)
    check((page["Contents"][0]["ETag"], page["Contents"][0]["Size"]) == (second, 5), page)
    check(page["IsTruncated"] and page["KeyCount"] == 1, page)
    rest = s3.list_objects_v2(
        Prefix="a/", ContinuationToken=page["NextContinuationToken"], **bucket
    )
    check([each["Key"] for each in rest["Contents"]] == ["a/c"], rest)
    check(not rest["IsTruncated"], rest)

    s3.delete_object(Key="a/b", **bucket)
    s3.delete_object(Key="a/b", **bucket)  # what is gone is gone
    cloud.refused("404", s3.head_object, Key="a/b", **bucket)
