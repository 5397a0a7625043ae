//! `wf-host new` carries the SDK and the contract: what is embedded must be what lies there.

fn main() {
    println!("cargo::rerun-if-changed=../guest-sdk/rust");
    println!("cargo::rerun-if-changed=../wit");
}
