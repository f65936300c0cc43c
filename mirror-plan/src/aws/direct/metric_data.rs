//! `GetMetricData`: what CloudWatch has counted.
//!
//! CloudWatch also supports the Query protocol, which Elastic Load Balancing uses: a form, and XML.
//!
//! Source: CloudWatch API reference, version 2010-08-01, `GetMetricData`.

use aws_smithy_query::QueryWriter;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_types::date_time::{DateTimeFormatError, Format};
use aws_smithy_types::{DateTime, Number};
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

use super::{Call, Protocol, Service};
use crate::metrics::{Dimension, Series, Window};

/// What is asked in one call.
#[derive(Clone, Debug)]
pub(in crate::aws) struct Batch {
    /// The time that is asked about.
    pub(in crate::aws) window: Window,
    /// At most [`Batch::LONGEST`] series; the answer refers to them by their positions.
    pub(in crate::aws) series: Vec<Series>,
    /// Where the previous page ended.
    pub(in crate::aws) next_token: Option<String>,
}

/// A part of the answer.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::aws) struct Page {
    pub(in crate::aws) returned: Vec<Returned>,
    pub(in crate::aws) next_token: Option<String>,
}

/// Data points of a series.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::aws) struct Returned {
    /// Its position among the series that were asked for.
    pub(in crate::aws) place: usize,
    pub(in crate::aws) values: Vec<f64>,
    pub(in crate::aws) status: StatusCode,
}

/// Whether all data points have been returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::aws) enum StatusCode {
    Complete,
    /// There are more on the next page.
    PartialData,
    /// There are none, for this reason.
    Failed(String),
}

impl Call for Batch {
    const SERVICE: Service = Service {
        id: "CloudWatch",
        signing_name: "monitoring",
        fips_with_dual_stack_in_govcloud: "monitoring",
        protocol: Protocol::Query,
    };
    const NAME: &'static str = "GetMetricData";
    type Answer = Page;

    fn body(&self) -> Result<String, BoxError> {
        Ok(self.form()?)
    }

    fn read(body: &[u8]) -> Result<Page, BoxError> {
        Ok(Page::read(body)?)
    }
}

impl Batch {
    /// How many series one call accepts.
    ///
    /// Source: CloudWatch API reference, `GetMetricData`.
    pub(in crate::aws) const LONGEST: usize = 500;

    fn form(&self) -> Result<String, DateTimeFormatError> {
        let Self { window, series, next_token } = self;
        let mut form = String::new();
        let mut writer = QueryWriter::new(&mut form, Self::NAME, "2010-08-01");
        let mut queries = writer.prefix("MetricDataQueries").start_list(false, None);
        for (place, series) in series.iter().enumerate() {
            let Series { namespace, name, dimensions, period, statistic } = series;
            let mut query = queries.entry();
            query.prefix("Id").string(&format!("{ID}{place}"));
            let mut stat = query.prefix("MetricStat");
            let mut metric = stat.prefix("Metric");
            metric.prefix("Namespace").string(namespace);
            metric.prefix("MetricName").string(name);
            let mut list = metric.prefix("Dimensions").start_list(false, None);
            for Dimension { name, value } in dimensions {
                let mut dimension = list.entry();
                dimension.prefix("Name").string(name);
                dimension.prefix("Value").string(value);
            }
            list.finish();
            stat.prefix("Period").number(Number::PosInt(u64::from(*period)));
            stat.prefix("Stat").string(statistic.name());
        }
        queries.finish();
        let at = |time: jiff::Timestamp| DateTime::from_secs(time.as_second());
        writer.prefix("StartTime").date_time(&at(window.from), Format::DateTime)?;
        writer.prefix("EndTime").date_time(&at(window.to), Format::DateTime)?;
        if let Some(token) = next_token {
            writer.prefix("NextToken").string(token);
        }
        writer.finish();
        Ok(form)
    }
}

/// The first character of the ids of queries, which must be a lower-case letter.
const ID: &str = "q";

impl Page {
    fn read(body: &[u8]) -> Result<Self, XmlDecodeError> {
        let mut document = Document::try_from(body)?;
        let mut root = document.root_element()?;
        if !root.start_el().matches("GetMetricDataResponse") {
            return Err(XmlDecodeError::custom("expected `GetMetricDataResponse`"));
        }
        let mut page = None;
        while let Some(mut tag) = root.next_tag() {
            if tag.start_el().matches("GetMetricDataResult") {
                page = Some(Self::result(&mut tag)?);
            }
        }
        page.ok_or_else(|| XmlDecodeError::custom("expected `GetMetricDataResult`"))
    }

    fn result(result: &mut ScopedDecoder<'_, '_>) -> Result<Self, XmlDecodeError> {
        let (mut returned, mut next_token) = (Vec::new(), None);
        while let Some(mut tag) = result.next_tag() {
            match tag.start_el().local() {
                "MetricDataResults" => {
                    while let Some(mut member) = tag.next_tag() {
                        returned.push(Returned::read(&mut member)?);
                    }
                }
                "NextToken" => next_token = Some(try_data(&mut tag)?.into_owned()),
                _ => {}
            }
        }
        Ok(Self { returned, next_token: next_token.filter(|token| !token.is_empty()) })
    }
}

impl Returned {
    fn read(member: &mut ScopedDecoder<'_, '_>) -> Result<Self, XmlDecodeError> {
        let (mut place, mut status, mut values) = (None, None, Vec::new());
        while let Some(mut tag) = member.next_tag() {
            match tag.start_el().local() {
                "Id" => {
                    let id = try_data(&mut tag)?;
                    place = id.strip_prefix(ID).and_then(|place| place.parse().ok());
                }
                "StatusCode" => status = Some(StatusCode::of(&try_data(&mut tag)?)),
                "Values" => {
                    while let Some(mut value) = tag.next_tag() {
                        let value = try_data(&mut value)?;
                        let value = value.trim().parse().map_err(XmlDecodeError::unhandled)?;
                        values.push(value);
                    }
                }
                _ => {}
            }
        }
        match (place, status) {
            (Some(place), Some(status)) => Ok(Self { place, values, status }),
            _ => Err(XmlDecodeError::custom("a result without `Id` or `StatusCode`")),
        }
    }
}

impl StatusCode {
    /// Source: CloudWatch API reference, `MetricDataResult`.
    fn of(word: &str) -> Self {
        match word {
            "Complete" => Self::Complete,
            "PartialData" => Self::PartialData,
            other => Self::Failed(other.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Statistic;

    #[test]
    fn a_form_names_each_series_by_its_place() {
        let series = |name| Series {
            namespace: "AWS/EC2",
            name,
            dimensions: vec![Dimension { name: "InstanceId", value: "i-0a1b2c3d".to_owned() }],
            period: 300,
            statistic: Statistic::Sum,
        };
        let window = Window {
            from: "2026-11-27T12:00:00Z".parse().unwrap(),
            to: "2026-11-27T12:17:01.5Z".parse().unwrap(),
        };
        let series = vec![series("NetworkMirrorIn"), series("NetworkMirrorOut")];
        let next_token = Some("a/b==".to_owned());
        let form = Batch { window, series, next_token }.form().unwrap();
        insta::assert_snapshot!(form.replace('&', "\n&"), @"
        Action=GetMetricData
        &Version=2010-08-01
        &MetricDataQueries.member.1.Id=q0
        &MetricDataQueries.member.1.MetricStat.Metric.Namespace=AWS%2FEC2
        &MetricDataQueries.member.1.MetricStat.Metric.MetricName=NetworkMirrorIn
        &MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Name=InstanceId
        &MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Value=i-0a1b2c3d
        &MetricDataQueries.member.1.MetricStat.Period=300
        &MetricDataQueries.member.1.MetricStat.Stat=Sum
        &MetricDataQueries.member.2.Id=q1
        &MetricDataQueries.member.2.MetricStat.Metric.Namespace=AWS%2FEC2
        &MetricDataQueries.member.2.MetricStat.Metric.MetricName=NetworkMirrorOut
        &MetricDataQueries.member.2.MetricStat.Metric.Dimensions.member.1.Name=InstanceId
        &MetricDataQueries.member.2.MetricStat.Metric.Dimensions.member.1.Value=i-0a1b2c3d
        &MetricDataQueries.member.2.MetricStat.Period=300
        &MetricDataQueries.member.2.MetricStat.Stat=Sum
        &StartTime=2026-11-27T12%3A00%3A00Z
        &EndTime=2026-11-27T12%3A17%3A01Z
        &NextToken=a%2Fb%3D%3D
        ");
    }

    const ANSWER: &str = "<GetMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">
  <GetMetricDataResult>
    <NextToken>more</NextToken>
    <MetricDataResults>
      <member>
        <Label>NetworkMirrorIn</Label>
        <Timestamps><member>2026-11-27T12:05:00Z</member><member>2026-11-27T12:00:00Z</member></Timestamps>
        <Values><member>1.0E7</member><member>0.0</member></Values>
        <Id>q1</Id>
        <StatusCode>PartialData</StatusCode>
      </member>
      <member><Id>q0</Id><Timestamps/><Values/><StatusCode>Complete</StatusCode></member>
      <member><Id>q2</Id><StatusCode>Forbidden</StatusCode></member>
    </MetricDataResults>
    <Messages/>
  </GetMetricDataResult>
  <ResponseMetadata><RequestId>1-2-3</RequestId></ResponseMetadata>
</GetMetricDataResponse>";

    #[test]
    fn an_answer_is_read_by_the_names_of_its_elements() {
        let page = Page::read(ANSWER.as_bytes()).unwrap();
        let returned =
            |place, values: &[f64], status| Returned { place, values: values.to_vec(), status };
        let expected = vec![
            returned(1, &[1e7, 0.0], StatusCode::PartialData),
            returned(0, &[], StatusCode::Complete),
            returned(2, &[], StatusCode::Failed("Forbidden".to_owned())),
        ];
        assert_eq!(page, Page { returned: expected, next_token: Some("more".to_owned()) });
    }

    #[test]
    fn an_answer_that_lacks_something_is_none() {
        for lacks in ["<Id>q0</Id>", "<StatusCode>Complete</StatusCode>", "0.0"] {
            assert!(Page::read(ANSWER.replacen(lacks, "", 1).as_bytes()).is_err(), "{lacks}");
        }
        assert!(Page::read(ANSWER.replace("GetMetricDataResult>", "Other>").as_bytes()).is_err());
        assert!(Page::read(b"<html></html>").is_err());
        assert!(Page::read(b"").is_err());
    }
}
