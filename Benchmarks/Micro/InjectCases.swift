internal import SluiceCore
internal import SluiceInject
internal import SluiceJSON

/// What the webhook costs: from a review's body to its answer.
func measureInject(_ measure: Measure) {
    var defaults = SidecarDefaults()
    defaults.image = "registry.example/sluice:0.1.0"
    let injector = Injector(defaults)
    let tape = JSONTape()
    for (name, annotations) in [("injected", "{}"), ("left alone", #"{"sluice.io/inject":"disabled"}"#)] {
        let body = Array(review(annotations).utf8)
        measure("inject/pod \(name)", bytes: body.count) {
            if let answer = try? injector.answer(body.span, .namespace, tape: tape) { keep(answer.body) }
        }
    }
}

/// As an API server asks for a pod of a Deployment.
private func review(_ annotations: String) -> String {
    #"""
    {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{\#
    "uid":"705ab4f5-6393-11e8-b7cc-42010a800002",\#
    "kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},\#
    "namespace":"shop","operation":"CREATE","userInfo":{"username":"system:serviceaccount:kube-system:x"},\#
    "object":{"kind":"Pod","apiVersion":"v1","metadata":{"generateName":"cart-6d4cf56db6-","labels":{"app":"cart"},\#
    "annotations":\#(annotations)},"spec":{"volumes":[{"name":"kube-api-access-x","projected":{"sources":[]}}],\#
    "containers":[{"name":"cart","image":"cart:1","ports":[{"containerPort":8080,"protocol":"TCP"}],\#
    "env":[{"name":"SHOP","value":"1"}],"resources":{},"volumeMounts":[{"name":"kube-api-access-x","readOnly":true,\#
    "mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}]}],"restartPolicy":"Always",\#
    "terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default"}},"dryRun":false}}
    """#
}
