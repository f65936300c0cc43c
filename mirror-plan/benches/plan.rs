//! How long reading a stack file, planning and rendering take, by the number of sessions.
//!
//! `cargo bench -p mirror-plan --no-default-features --features hcl`; only the rendering, or the lints:
//! `cargo bench -p mirror-plan --no-default-features --features hcl -- rendering`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mirror_plan::diagnostic::Source;
use mirror_plan::hcl::{Inputs, StackFile};
use mirror_plan::lint;
use mirror_plan::observed::Observed;
use mirror_plan::plan::{Plan, Request, plan};
use mirror_plan::render::graph::{Diagram, Dot, Mermaid, Svg};
use mirror_plan::render::json;
use mirror_plan::render::markdown::Markdown;
use mirror_plan::render::page::Page;
use mirror_plan::render::terraform::PlanJson;
use mirror_plan::render::text::Text;
use mirror_plan::stack::Stack;

fn stack_file(sessions: usize) -> String {
    let sources: Vec<String> = (0..sessions).map(|n| format!("\"eni-{n:017x}\"")).collect();
    format!(
        r#"
stack "estate" {{}}
locals {{ sources = [{}] }}
mirror_target "receiver" {{ network_interface = "eni-fffffffffffffffff" }}
mirror_filter "everything" {{ rules = [{{ number = 100, action = "accept" }}] }}
mirror_session "detect" {{
  count  = length(local.sources)
  source = local.sources[count.index]
  target = mirror_target.receiver
  filter = mirror_filter.everything
  number = 1
}}
"#,
        sources.join(", ")
    )
}

/// The same with instances of the stack and a load balancer: everything that the lints check.
fn stack_file_of_instances(sessions: usize) -> String {
    format!(
        r#"
stack "estate" {{}}
vpc "main" {{ cidr = "10.0.0.0/16" }}
subnet "source" {{
  vpc  = vpc.main
  cidr = "10.0.0.0/18"
}}
subnet "receiver" {{
  vpc  = vpc.main
  cidr = "10.0.64.0/24"
}}
security_group "source" {{ vpc = vpc.main }}
security_group "receiver" {{
  vpc = vpc.main
  ingress = [
    {{ protocol = "udp", port = 4789, cidrs = [subnet.source.cidr] }},
    {{ protocol = "tcp", port = 80, cidrs = [subnet.receiver.cidr] }},
  ]
}}
instance "source" {{
  count           = {sessions}
  instance_type   = "m5.large"
  subnet          = subnet.source
  security_groups = [security_group.source]
}}
instance "receiver" {{
  count           = 8
  instance_type   = "c6gn.4xlarge"
  subnet          = subnet.receiver
  security_groups = [security_group.receiver]
}}
target_group "receivers" {{
  vpc          = vpc.main
  health_check = {{ port = 80 }}
  targets      = [for n in [0, 1, 2, 3, 4, 5, 6, 7] : instance.receiver[n]]
}}
load_balancer "sensors" {{
  subnets   = [subnet.receiver]
  listeners = [{{ target_group = target_group.receivers }}]
}}
mirror_target "sensors" {{ load_balancer = load_balancer.sensors }}
mirror_filter "tcp" {{
  rules = [
    {{ number = 10, action = "reject", protocol = "tcp", port = 22 }},
    {{ number = 20, action = "accept", protocol = "tcp" }},
  ]
}}
mirror_session "detect" {{
  count  = {sessions}
  source = instance.source[count.index]
  target = mirror_target.sensors
  filter = mirror_filter.tcp
  number = 1
}}
"#
    )
}

fn read(text: &str) -> Stack {
    let source = Source { name: "estate.mirror.hcl".to_owned(), text: text.to_owned() };
    let file = StackFile::parse(source).expect("the text is HCL");
    file.stack(&Inputs::new()).expect("the stack is in order").0
}

fn nothing() -> Observed {
    let account = "123456789012".parse().expect("twelve digits");
    Observed::nothing(account, "eu-west-1".parse().expect("a Region"))
}

fn benchmarks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sessions");
    group.sample_size(10);
    for sessions in [1_000, 10_000] {
        let text = stack_file(sessions);
        let stack = read(&text);
        let planned = plan(&stack, &nothing(), &Request::default()).expect("it can be planned");
        group.throughput(Throughput::Elements(sessions as u64));
        group.bench_function(BenchmarkId::new("read", sessions), |b| {
            b.iter(|| read(black_box(&text)));
        });
        group.bench_function(BenchmarkId::new("plan", sessions), |b| {
            b.iter(|| plan(black_box(&stack), &nothing(), &Request::default()));
        });
        group.bench_function(BenchmarkId::new("digest", sessions), |b| {
            b.iter(|| black_box(&planned).digest());
        });
    }
    group.finish();
}

/// All lints, on sessions of existing interfaces and of instances of the stack.
fn lints(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lints");
    group.sample_size(10);
    for sessions in [1_000, 10_000] {
        group.throughput(Throughput::Elements(sessions as u64));
        let files = [
            ("interfaces", stack_file(sessions)),
            ("instances", stack_file_of_instances(sessions)),
        ];
        for (name, text) in files {
            let stack = read(&text);
            group.bench_function(BenchmarkId::new(name, sessions), |b| {
                b.iter(|| lint::check(black_box(&stack)));
            });
        }
    }
    group.finish();
}

/// A form in which a plan is written.
type Form = (&'static str, fn(&Plan) -> String);

/// Every form; the diagrams have few boxes, whatever the plan.
const FORMS: [Form; 9] = [
    ("text", |plan| Text::new(plan).to_string()),
    ("snapshot", Plan::to_string),
    ("stream", |plan| json::plan(plan).into_iter().map(|line| line.at("").to_string()).collect()),
    ("markdown", |plan| Markdown::new(plan).to_string()),
    ("terraform", |plan| PlanJson::new(plan).to_string()),
    ("page", |plan| Page::new(plan).to_string()),
    ("mermaid", |plan| Mermaid(&Diagram::planned_packet_path(plan)).to_string()),
    ("dot", |plan| Dot(&Diagram::planned_packet_path(plan)).to_string()),
    ("svg", |plan| Svg(&Diagram::planned_packet_path(plan)).to_string()),
];

/// Every form of a plan that creates everything.
fn rendering(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rendering");
    group.sample_size(10);
    for sessions in [1_000, 10_000] {
        let stack = read(&stack_file(sessions));
        let planned = plan(&stack, &nothing(), &Request::default()).expect("it can be planned");
        group.throughput(Throughput::Elements(sessions as u64));
        for (name, render) in FORMS {
            group.bench_function(BenchmarkId::new(name, sessions), |b| {
                b.iter(|| render(black_box(&planned)));
            });
        }
    }
    group.finish();
}

criterion_group!(plans, benchmarks, lints, rendering);
criterion_main!(plans);
