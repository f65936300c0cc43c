//! How long reading a stack file, planning and rendering take, by the number of sessions.
//!
//! `cargo bench -p mirror-plan --no-default-features --features hcl`; only the rendering:
//! `cargo bench -p mirror-plan --no-default-features --features hcl -- rendering`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mirror_plan::diagnostic::Source;
use mirror_plan::hcl::{Inputs, StackFile};
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

/// A form in which a plan is written.
type Form = (&'static str, fn(&Plan) -> String);

/// Every form; the pictures are of few boxes, whatever the plan.
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

/// Every form of a plan that makes everything.
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

criterion_group!(plans, benchmarks, rendering);
criterion_main!(plans);
