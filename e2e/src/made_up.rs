//! `cargo e2e make-manifests`: a cluster to measure with, of any size and the same each time.

use std::io::{self, Write};

use clap::Args;

/// Options of `make-manifests`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Options {
    /// How many pods the Deployments ask for, all together.
    #[arg(long, default_value_t = 10_000)]
    pods: u32,
    /// How many Deployments there are, each with pods of its own shape.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    deployments: u32,
    /// How many nodes there are, in three zones and of four sizes.
    #[arg(long, default_value_t = 1000)]
    nodes: u32,
}

/// The namespaces that the Deployments are spread over.
const NAMESPACES: [&str; 3] = ["shop", "search", "batch"];

/// Writes the manifests: nodes, three namespaces with two LimitRanges and three quotas, Deployments.
///
/// # Errors
/// When the output can't be written.
pub fn run(options: &Options, output: &mut dyn Write) -> io::Result<()> {
    for number in 0..options.nodes {
        node(number, output)?;
    }
    for namespace in NAMESPACES {
        writeln!(output, "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}")?;
        writeln!(
            output,
            "---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: compute, namespace: {namespace}}}\n\
             spec: {{hard: {{requests.cpu: 100k, requests.memory: 500Ti, limits.memory: 500Ti, pods: 100k}}}}"
        )?;
    }
    for namespace in &NAMESPACES[..2] {
        writeln!(
            output,
            "---\napiVersion: v1\nkind: LimitRange\nmetadata: {{name: containers, namespace: {namespace}}}\n\
             spec: {{limits: [{{type: Container, default: {{cpu: '1', memory: 1Gi}}, \
             defaultRequest: {{cpu: 100m, memory: 128Mi}}, max: {{cpu: '8', memory: 16Gi}}}}]}}"
        )?;
    }
    for number in 0..options.deployments {
        let rest = u32::from(number < options.pods % options.deployments);
        deployment(number, options.pods / options.deployments + rest, output)?;
    }
    Ok(())
}

fn node(number: u32, output: &mut dyn Write) -> io::Result<()> {
    let (zone, size) = (number % 3, 8 << (number % 4));
    writeln!(
        output,
        "---\napiVersion: v1\nkind: Node\nmetadata: {{name: node-{number}, labels: {{kubernetes.io/hostname: node-{number}, \
         topology.kubernetes.io/zone: zone-{zone}}}}}\n\
         status: {{capacity: {{cpu: '{size}', memory: {memory}Gi, pods: '110'}}, \
         allocatable: {{cpu: '{size}', memory: {memory}Gi, pods: '110'}}}}",
        memory = size * 4,
    )
}

/// Every other container leaves its limits to the LimitRange; the batch namespace has none.
fn deployment(number: u32, replicas: u32, output: &mut dyn Write) -> io::Result<()> {
    let namespace = NAMESPACES[(number % 3) as usize];
    let (cpu, memory) = (100 + number * 10, 128 + number * 16);
    let limits = if number.is_multiple_of(2) || namespace == "batch" {
        format!(", limits: {{cpu: '2', memory: {}Mi}}", memory * 2)
    } else {
        String::new()
    };
    writeln!(
        output,
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app-{number}, namespace: {namespace}}}\n\
         spec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{app: app-{number}}}}}\n  template:\n    \
         metadata: {{labels: {{app: app-{number}}}}}\n    spec:\n      containers:\n        \
         - {{name: app, image: example.com/app:1, resources: {{requests: {{cpu: {cpu}m, memory: {memory}Mi}}{limits}}}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::{Options, run};

    #[test]
    fn makes_as_many_objects_as_it_is_asked_for() {
        let mut text = Vec::new();
        run(&Options { pods: 7, deployments: 2, nodes: 3 }, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.matches("kind: Node\n").count(), 3);
        assert_eq!(text.matches("kind: ResourceQuota\n").count(), 3);
        assert!(text.contains("replicas: 4\n") && text.contains("replicas: 3\n"));
    }
}
