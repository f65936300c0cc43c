//! The functions, against Terraform's documented results.

use insta::assert_snapshot;

use super::{Inputs, check_with, evaluate};

#[test]
fn cidrsubnet() {
    assert_snapshot!(evaluate(r#"[cidrsubnet("172.16.0.0/12", 4, 2), cidrsubnet("10.1.2.0/24", 4, 15), cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162), cidrsubnet("10.0.9.9/16", 8, 1), cidrsubnet("10.0.0.0/32", 0, 0), cidrsubnet("0.0.0.0/0", 32, 4294967295)]"#), @r#"["172.18.0.0/16", "10.1.2.240/28", "fd00:fd12:3456:7800:a200::/72", "10.0.1.0/24", "10.0.0.0/32", "255.255.255.255/32"]"#);
    assert_snapshot!(evaluate(r#"cidrsubnet("10.0.0.0/28", 8, 1)"#), @r#"
    error[MP0103]: `cidrsubnet`: 10.0.0.0/28 has 4 bits left, but 8 more are requested
     --> test.mirror.hcl:2:37
      |
    2 |   value = cidrsubnet("10.0.0.0/28", 8, 1)
      |                                     ^
    "#);
    assert_snapshot!(evaluate(r#"cidrsubnet(vpc.lab.cidr, 1, 2)"#), @"
    error[MP0103]: `cidrsubnet`: with `newbits` 1, the subnets are 0 to 1, not 2
     --> test.mirror.hcl:2:39
      |
    2 |   value = cidrsubnet(vpc.lab.cidr, 1, 2)
      |                                       ^
    ");
    assert_snapshot!(evaluate(r#"cidrsubnet("10.0.0.0", 1, 2)"#), @r#"
    error[MP0103]: `cidrsubnet`: `10.0.0.0` is not a range such as 10.0.0.0/16
     --> test.mirror.hcl:2:22
      |
    2 |   value = cidrsubnet("10.0.0.0", 1, 2)
      |                      ^^^^^^^^^^
    "#);
    assert_snapshot!(evaluate(r#"cidrsubnet("10.0.0.0/8", -1, 0)"#), @r#"
    error[MP0103]: `cidrsubnet`: 10.0.0.0/8 has 24 bits left, but -1 more are requested
     --> test.mirror.hcl:2:36
      |
    2 |   value = cidrsubnet("10.0.0.0/8", -1, 0)
      |                                    ^^
    "#);
    assert_snapshot!(evaluate(r#"cidrsubnet("10.0.0.0/8", 1)"#), @r#"
    error[MP0103]: `cidrsubnet` takes 3 arguments, not 2
     --> test.mirror.hcl:2:11
      |
    2 |   value = cidrsubnet("10.0.0.0/8", 1)
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: its signature is cidrsubnet(prefix, newbits, netnum)
    "#);
}

#[test]
fn cidrhost() {
    assert_snapshot!(evaluate(r#"[cidrhost("10.12.112.0/20", 16), cidrhost("10.12.112.0/20", 268), cidrhost("fd00:fd12:3456:7890:00a2::/72", 34), cidrhost("10.0.0.0/24", -1), cidrhost("::/0", -1), cidrhost("10.0.0.1/32", 0)]"#), @r#"["10.12.112.16", "10.12.113.12", "fd00:fd12:3456:7890::22", "10.0.0.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "10.0.0.1"]"#);
    assert_snapshot!(evaluate(r#"cidrhost("10.0.0.0/30", 4)"#), @r#"
    error[MP0103]: `cidrhost`: 10.0.0.0/30 has no address number 4
     --> test.mirror.hcl:2:35
      |
    2 |   value = cidrhost("10.0.0.0/30", 4)
      |                                   ^
    "#);
    assert_snapshot!(evaluate(r#"cidrhost("10.0.0.0/30", -5)"#), @r#"
    error[MP0103]: `cidrhost`: 10.0.0.0/30 has no address number -5
     --> test.mirror.hcl:2:35
      |
    2 |   value = cidrhost("10.0.0.0/30", -5)
      |                                   ^^
    "#);
}

#[test]
fn format() {
    assert_snapshot!(evaluate(r#"[format("%q %s", "<a&b>", "<"), format("%v", ["<"])]"#), @r#"["\"\\u003ca\\u0026b\\u003e\" <", "[\"\\u003c\"]"]"#);
    assert_snapshot!(evaluate(r#"[format("Hello, %s!", "Ander"), format("There are %d lights", 4), format("%v %v %v %v", true, null, "a", [1, { b = "c" }]), format("%#v", "a"), format("%5.1f|%-5d|%05d|%+d|% d", 3.14159, 7, 42, 1, 2), format("%x %X %o %b %#x", 255, 255, 8, 5, 255), format("%[2]s-%[1]s", "a", "b"), format("%q %t %%", "a\"b", true), format("%.2s|%4s|%-4s|", "äöü", "é", "x")]"#), @r#"["Hello, Ander!", "There are 4 lights", "true null a [1,{\"b\":\"c\"}]", "\"a\"", "  3.1|7    |00042|+1| 2", "ff FF 10 101 0xff", "b-a", "\"a\\\"b\" true %", "äö|   é|x   |"]"#);
    assert_snapshot!(evaluate(r#"[format("%e %E", 12345.678, 0.00012), format("%g %g %g %g", 100000, 1000000, 0.0001, 0.00001), format("%v %v", 1000000, 0.1), format("%.3g", 1234.5), format("%d", "12")]"#), @r#"["1.234568e+04 1.200000E-04", "100000 1e+06 0.0001 1e-05", "1e+06 0.1", "1.23e+03", "12"]"#);
    assert_snapshot!(evaluate(r#"format("%s %s", "a")"#), @r#"
    error[MP0103]: `format`: `%s` needs value 2; values given: 1
     --> test.mirror.hcl:2:18
      |
    2 |   value = format("%s %s", "a")
      |                  ^^^^^^^
    "#);
    assert_snapshot!(evaluate(r#"format("%s", "a", "b")"#), @r#"
    error[MP0103]: `format`: no verb uses this value
     --> test.mirror.hcl:2:29
      |
    2 |   value = format("%s", "a", "b")
      |                             ^^^
    "#);
    assert_snapshot!(evaluate(r#"format("%d", 1.5)"#), @r#"
    error[MP0103]: `format`: `%d` needs a whole number, but this is a number
     --> test.mirror.hcl:2:24
      |
    2 |   value = format("%d", 1.5)
      |                        ^^^
    "#);
    assert_snapshot!(evaluate(r#"format("%y", 1)"#), @r#"
    error[MP0103]: `format`: `%y` is not a verb
     --> test.mirror.hcl:2:18
      |
    2 |   value = format("%y", 1)
      |                  ^^^^
    "#);
    assert_snapshot!(evaluate(r#"format("100%")"#), @r#"
    error[MP0103]: `format`: `%` has no letter
     --> test.mirror.hcl:2:18
      |
    2 |   value = format("100%")
      |                  ^^^^^^
    "#);
    assert_snapshot!(evaluate(r#"format("%s", null)"#), @r#"
    error[MP0103]: `format`: `%s` needs a string, but this is null
     --> test.mirror.hcl:2:24
      |
    2 |   value = format("%s", null)
      |                        ^^^^
    "#);
    assert_snapshot!(evaluate(r#"format("%99999s", "a")"#), @r#"
    error[MP0103]: `format`: `%99999` has a number over 1000
     --> test.mirror.hcl:2:18
      |
    2 |   value = format("%99999s", "a")
      |                  ^^^^^^^^^
    "#);
}

#[test]
fn join_and_split() {
    assert_snapshot!(evaluate(r#"[join("-", ["a", 1, true]), join("", []), join(", ", ["a"], ["b", "c"]), split(",", "a,,b"), split(",", ""), split("", "äb")]"#), @r#"["a-1-true", "", "a, b, c", ["a", "", "b"], [""], ["ä", "b"]]"#);
    assert_snapshot!(evaluate(r#"join(",", ["a", null])"#), @r#"
    error[MP0103]: `join`: the elements must be strings, but one is null
     --> test.mirror.hcl:2:21
      |
    2 |   value = join(",", ["a", null])
      |                     ^^^^^^^^^^^
    "#);
    assert_snapshot!(evaluate(r#"join(",", "a")"#), @r#"
    error[MP0103]: `join`: expected a list, found a string
     --> test.mirror.hcl:2:21
      |
    2 |   value = join(",", "a")
      |                     ^^^
    "#);
}

#[test]
fn lists_and_objects() {
    assert_snapshot!(evaluate(r#"[concat([1], [], [2, 3]), merge({ a = 1, b = 1 }, null, { b = 2 }), merge(), keys({ b = 1, a = 2 }), values({ b = 1, a = 2 })]"#), @r#"[[1, 2, 3], { a = 1, b = 2 }, {}, ["a", "b"], [2, 1]]"#);
    assert_snapshot!(evaluate(r#"[lookup({ a = 1 }, "a", 0), lookup({ a = 1 }, "b", 0), lookup({ a = null }, "a", 0), lookup({ a = 1 }, "a")]"#), @"[1, 0, null, 1]");
    assert_snapshot!(evaluate("contains([1, null], null)"), @"
    error[MP0103]: `contains`: expected a value to look for, found null
     --> test.mirror.hcl:2:31
      |
    2 |   value = contains([1, null], null)
      |                               ^^^^
    ");
    assert_snapshot!(evaluate(r#"[length([1, 2]), length({ a = 1 }), length("👨‍👩‍👧ä"), length(""), contains([1, 2], 2), contains(["1"], 1)]"#), @"[2, 1, 2, 0, true, false]");
    assert_snapshot!(evaluate(r#"concat([1], 2)"#), @"
    error[MP0103]: `concat`: expected a list, found a number
     --> test.mirror.hcl:2:23
      |
    2 |   value = concat([1], 2)
      |                       ^
    ");
    assert_snapshot!(evaluate(r#"lookup({ a = 1 }, "b")"#), @r#"
    error[MP0103]: `lookup`: there is no member `b`, and no default
     --> test.mirror.hcl:2:29
      |
    2 |   value = lookup({ a = 1 }, "b")
      |                             ^^^
    "#);
    assert_snapshot!(evaluate(r#"length(5)"#), @"
    error[MP0103]: `length`: expected a list, an object or a string, found a number
     --> test.mirror.hcl:2:18
      |
    2 |   value = length(5)
      |                  ^
    ");
    assert_snapshot!(evaluate(r#"concat([[1], [2]]...)"#), @"[1, 2]");
    assert_snapshot!(evaluate(r#"concat({}...)"#), @"
    error[MP0103]: `...` needs a list
     --> test.mirror.hcl:2:18
      |
    2 |   value = concat({}...)
      |                  ^^ this is an object
    ");
}

#[test]
fn conversions() {
    assert_snapshot!(evaluate(r#"[tostring(1.50), tostring(true), tostring(null), tonumber("1e3"), tonumber("-0.5"), tonumber(null), jsondecode("{\"a\": [1, null, \"b\"]}")]"#), @r#"["1.5", "true", null, 1000, -0.5, null, { a = [1, null, "b"] }]"#);
    assert_snapshot!(evaluate(r#"tonumber("ten")"#), @r#"
    error[MP0103]: `tonumber`: `ten` is not a number
     --> test.mirror.hcl:2:20
      |
    2 |   value = tonumber("ten")
      |                    ^^^^^
    "#);
    assert_snapshot!(evaluate(r#"tonumber("inf")"#), @r#"
    error[MP0103]: `tonumber`: `inf` is not a number
     --> test.mirror.hcl:2:20
      |
    2 |   value = tonumber("inf")
      |                    ^^^^^
    "#);
    assert_snapshot!(evaluate(r#"tostring([])"#), @"
    error[MP0103]: `tostring`: expected a string, number or boolean, found a list
     --> test.mirror.hcl:2:20
      |
    2 |   value = tostring([])
      |                    ^^
    ");
    assert_snapshot!(evaluate(r#"jsondecode("{")"#), @r#"
    error[MP0103]: `jsondecode`: this is not JSON: EOF while parsing an object at line 1 column 1
     --> test.mirror.hcl:2:22
      |
    2 |   value = jsondecode("{")
      |                      ^^^
    "#);
}

#[test]
fn attempts() {
    assert_snapshot!(evaluate(r#"[try(local.ports[9], local.tags.c, "fallback"), try(1), try(vpc.lab.id, "x")]"#), @r#"["fallback", 1, (known after apply: vpc.lab.id)]"#);
    assert_snapshot!(evaluate(r#"try(local.tags.c, 1 / 0)"#), @"
    error[MP0103]: `try`: none of the arguments can be evaluated
     --> test.mirror.hcl:2:11
      |
    2 |   value = try(local.tags.c, 1 / 0)
      |           ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: the object has no member `c`
      = note: division by zero
    ");
}

#[test]
fn files_are_read_in_the_folder_of_the_stack_only() {
    let read = |path: &str| match path {
        "boot.sh" | "sub/boot.sh" => Ok(format!("#!/bin/sh\n# {path}\n")),
        _ => Err(std::io::Error::new(std::io::ErrorKind::NotFound, "no such file")),
    };
    let inputs = Inputs::new().read_files_by(&read);
    let show =
        |path: &str| check_with(&format!("output \"it\" {{ value = file(\"{path}\") }}"), &inputs);
    assert_snapshot!(show("boot.sh"), @r##"it = "#!/bin/sh\n# boot.sh\n""##);
    assert_snapshot!(show("./sub/boot.sh"), @r##"it = "#!/bin/sh\n# sub/boot.sh\n""##);
    assert_snapshot!(show("other.sh"), @r#"
    error[MP0103]: `file`: cannot read `other.sh`: no such file
     --> test.mirror.hcl:1:28
      |
    1 | output "it" { value = file("other.sh") }
      |                            ^^^^^^^^^^
    "#);
    for path in ["../boot.sh", "/etc/passwd", "sub/../boot.sh", "C:/x", "a\\\\..\\\\b", "", "a//b"]
    {
        assert!(show(path).contains("is not a path inside"), "{path}");
    }
}

#[test]
fn what_is_unknown_and_makes_no_difference_leaves_the_result_known() {
    assert_snapshot!(evaluate(r#"[lookup({ a = 1 }, "a", vpc.lab.id), lookup({ a = 1 }, "b", vpc.lab.id), lookup({ a = 1 }, vpc.lab.id, 2)]"#), @"[1, (known after apply: vpc.lab.id), (known after apply: vpc.lab.id)]");
    assert_snapshot!(evaluate(r#"[contains([vpc.lab.id, "x"], "x"), contains(["x"], vpc.lab.id), contains([vpc.lab.id], "x"), contains(["y"], "x")]"#), @"[true, (known after apply: vpc.lab.id), (known after apply: vpc.lab.id), false]");
}

#[test]
fn zeros_and_prefixes_of_numbers() {
    assert_snapshot!(evaluate(r#"[format("%#08x|%#.4x|%08.3d|%.0d|%+05d|%-#6o|%6t|%-05s|%.0s", 255, 255, 5, 0, 7, 8, true, "ab", "abc")]"#), @r#"["0x0000ff|0x00ff|     005||+0007|010   |true|ab000|abc"]"#);
}

#[test]
fn numbers_are_as_exact_as_terraforms() {
    assert_snapshot!(evaluate(r#"[0.1 + 0.2 == 0.3, 9007199254740993, jsondecode("[9007199254740995, 0.1]"), tonumber("12345678901234567890123")]"#), @"[true, 9007199254740993, [9007199254740995, 0.1], 12345678901234567890123]");
    assert_snapshot!(evaluate(r#"[format("%.2f|%d|%d|%x|%g|%v", 2.345, 100 * 1.1, 12345678901234567890123, 18446744073709551616, 0.1, 1 / 8), "${10 / 4}"]"#), @r#"["2.34|110|12345678901234567890123|10000000000000000|0.1|0.125", 2.5]"#);
    assert_snapshot!(evaluate("1 / 3"), @"0.33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333335");
    assert_snapshot!(evaluate("[7 % 3, -7 % 3, 5.5 % 2, 1 / 3 * 3]"), @"[1, -1, 1.5, 1]");
}

#[test]
fn whole_numbers_that_json_would_change_are_refused() {
    assert_snapshot!(evaluate(r#"jsondecode("[1, 12345678901234567890123]")"#), @r#"
    error[MP0103]: `jsondecode`: 1.2345678901234568e+22 is too large: whole numbers must be below 2^64
     --> test.mirror.hcl:2:22
      |
    2 |   value = jsondecode("[1, 12345678901234567890123]")
      |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}
