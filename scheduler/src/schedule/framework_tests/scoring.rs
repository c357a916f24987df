//! Plugins that compare nodes.

use super::*;

/// What plugins say of every node with what their scores count, and of each the score as it gave it and as it counts.
type Row = (&'static str, Vec<(Scoring, i32)>, Result<Vec<(&'static str, i64, i64)>, String>);

/// # Source
/// `TestRunScorePlugins`, `TestRunPreScorePlugins`
#[test]
fn score_plugins() {
    use Scoring::{Fail, Give, Skip};
    let invalid = |score: i64| {
        format!(
            "applying score defaultWeights on Score plugins: plugin \"plugin-1\" returns an invalid score {score}, it should in the range of [0, 100] after normalizing"
        )
    };
    let failed = |name: &str| Err(format!("running PreScore plugin {name:?}: {REASON}"));
    let rows: [Row; 13] = [
        ("no Score plugins", vec![], Ok(vec![])),
        ("single Score plugin", vec![(Give(1, None), 1)], Ok(vec![("plugin-1", 1, 1)])),
        ("single ScoreWithNormalize plugin", vec![(Give(10, Some(5)), 1)], Ok(vec![("plugin-1", 10, 5)])),
        (
            "3 Score plugins, 2 NormalizeScore plugins",
            vec![(Give(1, None), 1), (Give(3, Some(4)), 1), (Give(4, Some(5)), 1)],
            Ok(vec![("plugin-1", 1, 1), ("plugin-2", 3, 4), ("plugin-3", 4, 5)]),
        ),
        (
            "Score plugin return score greater than MaxNodeScore",
            vec![(Give(101, None), 1)],
            Err(invalid(101)),
        ),
        ("Score plugin return score less than MinNodeScore", vec![(Give(-1, None), 1)], Err(invalid(-1))),
        (
            "ScoreWithNormalize plugin return score greater than MaxNodeScore",
            vec![(Give(0, Some(101)), 1)],
            Err(invalid(101)),
        ),
        (
            "ScoreWithNormalize plugin return score less than MinNodeScore",
            vec![(Give(0, Some(-1)), 1)],
            Err(invalid(-1)),
        ),
        (
            "single Score plugin with MultiPointExpansion",
            vec![(Give(1, None), 3)],
            Ok(vec![("plugin-1", 1, 3)]),
        ),
        (
            "one success plugin, one skip plugin",
            vec![(Give(1, None), 1), (Skip, 1)],
            Ok(vec![("plugin-1", 1, 1)]),
        ),
        ("all plugins are skipped in prescore", vec![(Skip, 1)], Ok(vec![])),
        (
            "one PreScore plugin returned success, but another PreScore plugin returned non-success",
            vec![(Give(1, None), 1), (Fail, 1)],
            failed("plugin-2"),
        ),
        (
            "one PreScore plugin returned skip, but another PreScore plugin returned non-success",
            vec![(Skip, 1), (Fail, 1)],
            failed("plugin-2"),
        ),
    ];
    for (name, plugins, expected) in rows {
        let made_up = |(score, weight)| (MadeUp { score: Some(score), ..MadeUp::default() }, weight);
        let profile = profile(&plugins.into_iter().map(made_up).collect::<Vec<_>>());
        let said =
            with_nodes(&["node1", "node2"], |pod, snapshot| score_nodes(pod, snapshot, &profile, &[0, 1]));
        let expected = expected.map(|scores| {
            let both = |(plugin, raw, weighted)| PluginScores {
                plugin,
                raw: vec![raw; 2],
                weighted: vec![weighted; 2],
            };
            scores.into_iter().map(both).collect::<Vec<_>>()
        });
        assert_eq!(said, expected, "{name}");
    }
}
