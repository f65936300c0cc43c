//! Filter expressions with wrong letters; those that still compile run on frames with wrong bytes.

use fastrand::Rng;
use mirror_vxlan::select::filter::Filter;

use super::{mutate, share};
use crate::filter::EXPRESSIONS;
use crate::traffic::imix;

#[test]
fn no_expression_makes_the_compiler_panic_and_no_frame_the_filter() {
    let frames: Vec<Vec<u8>> = imix(23).take(100).map(|it| it.frame).collect();
    let mut random = Rng::with_seed(29);
    let (mut compiled, mut refused) = (0, 0);
    for _ in 0..share(20) {
        // Two halves of expressions, and sometimes a wrong letter.
        let halves = [0, 1].map(|_| EXPRESSIONS[random.usize(..EXPRESSIONS.len())]);
        let [first, second] = halves.map(|half| random.usize(..=half.len()));
        let mut text = [&halves[0][..first], " ", &halves[1][second..]].concat();
        if random.u8(..4) == 0 {
            let mut letters = text.into_bytes();
            mutate(&mut letters, &mut random);
            text = String::from_utf8_lossy(&letters).into_owned();
        }
        match text.parse::<Filter>() {
            Ok(filter) => {
                assert_eq!(filter.expression().parse(), Ok(filter.clone()));
                let mut frame = frames[random.usize(..frames.len())].clone();
                mutate(&mut frame, &mut random);
                let length = u32::try_from(frame.len()).unwrap();
                std::hint::black_box(filter.matches(&frame, length));
                compiled += 1;
            }
            Err(error) => {
                assert!(error.offset <= text.len() && !error.to_string().is_empty(), "{text:?}");
                refused += 1;
            }
        }
    }
    assert!(compiled > 0 && refused > 0, "{compiled} compiled, {refused} refused");
}
