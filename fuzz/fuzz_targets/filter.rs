//! Any expression through the compiler of filters, and what compiles on any frame.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mirror_vxlan::select::filter::Filter;

fuzz_target!(|input: (&str, &[u8], u32)| {
    let (expression, frame, original_len) = input;
    match expression.parse::<Filter>() {
        Ok(filter) => {
            assert_eq!(filter.expression().parse(), Ok(filter.clone()));
            filter.matches(frame, original_len);
        }
        Err(error) => {
            assert!(error.offset <= expression.len());
            let _ = error.to_string();
        }
    }
});
