//! The program `mirror-vxlan`: receives mirrored traffic and hands the frames on.

fn main() {}
