//! How long reading a stack file and planning take, by the number of sessions.
//!
//! `cargo bench -p mirror-plan --no-default-features --features hcl`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mirror_plan::diagnostic::Source;
use mirror_plan::hcl::{Inputs, StackFile};
use mirror_plan::observed::Observed;
use mirror_plan::plan::{Request, plan};
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
        group.bench_function(BenchmarkId::new("text", sessions), |b| {
            b.iter(|| Text::new(black_box(&planned)).to_string());
        });
        group.bench_function(BenchmarkId::new("terraform", sessions), |b| {
            b.iter(|| PlanJson::new(black_box(&planned)).to_string());
        });
    }
    group.finish();
}

criterion_group!(plans, benchmarks);
criterion_main!(plans);
