//! Whole reviews through the router, without TLS, on one core: a pod of three containers in a namespace with a LimitRange and no quota.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::Request;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use kube::Client;
use plimsoll_runtime::mode::{InForce, Mode};
use plimsoll_webhook::server::{App, Caches, router};
use serde_json::{Value, json};
use tower::ServiceExt as _;

fn main() {
    divan::main();
}

/// An API server whose namespaces have one LimitRange each, and no quota.
fn client() -> Client {
    let answer = |request: Request<kube::client::Body>| async move {
        if request.uri().query().is_some_and(|query| query.contains("watch=true")) {
            // Nothing ever happens.
            return std::future::pending().await;
        }
        let limit_range = json!({
            "metadata": {"name": "limits"},
            "spec": {"limits": [{"type": "Container", "default": {"cpu": "500m", "memory": "256Mi"},
                "defaultRequest": {"cpu": "100m", "memory": "128Mi"}, "max": {"cpu": "2", "memory": "2Gi"}}]},
        });
        let is_limit_ranges = request.uri().path().ends_with("limitranges");
        let items: Vec<Value> = is_limit_ranges.then_some(limit_range).into_iter().collect();
        let list =
            json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": items});
        Ok::<_, Infallible>(axum::http::Response::new(Body::from(list.to_string())))
    };
    Client::new(tower::service_fn(answer), "default")
}

fn review() -> Bytes {
    let container = |name: &str, resources: Value| {
        json!({"name": name, "image": "registry.example/app:1", "imagePullPolicy": "IfNotPresent", "resources": resources,
            "env": [{"name": "A", "value": "b"}], "ports": [{"containerPort": 80, "protocol": "TCP"}],
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]})
    };
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "team", "uid": "6b0e", "labels": {"app": "web"}},
        "spec": {
            "containers": [
                container("web", json!({})),
                container("cache", json!({"requests": {"cpu": "100m", "memory": "64Mi"}})),
                container("log", json!({"requests": {"cpu": "50m"}, "limits": {"cpu": "200m", "memory": "128Mi"}})),
            ],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default", "schedulerName": "default-scheduler", "enableServiceLinks": true,
        },
    });
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "7", "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "operation": "CREATE", "namespace": "team", "name": "web", "object": pod, "oldObject": null, "dryRun": false,
            "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller", "groups": ["a", "b"]},
        },
    });
    Bytes::from(review.to_string())
}

fn answer(bencher: Bencher<'_, '_>, path: &str) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let entered = runtime.enter();
    let (client, caches) = (client(), Arc::<Caches>::default());
    runtime.spawn(Arc::clone(&caches).follow(client.clone(), Arc::default()));
    let filled = Arc::clone(&caches);
    let router = router(App::new(client, InForce::always(Mode::Enforce), Vec::new(), caches, Arc::default()));
    drop(entered);
    runtime.block_on(async {
        while !filled.are_filled() {
            tokio::task::yield_now().await;
        }
    });
    let review = review();
    let call = async |router: Router| {
        let request =
            Request::post(path).header("content-type", "application/json").body(Body::from(review.clone()));
        let Ok(request) = request else { return };
        let Ok(response) = router.oneshot(request).await;
        let _ = black_box(to_bytes(response.into_body(), usize::MAX).await);
    };
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| runtime.block_on(call(router.clone())));
}

/// Missing amounts are filled in.
#[divan::bench]
fn mutate(bencher: Bencher<'_, '_>) {
    answer(bencher, "/mutate");
}

/// Amounts are checked, and the namespace is found to have no quota.
#[divan::bench]
fn validate(bencher: Bencher<'_, '_>) {
    answer(bencher, "/validate");
}
