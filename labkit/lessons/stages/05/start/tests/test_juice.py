def test_as_many_pods_as_the_values_say(render):
    assert render("juice", "replicas=3")["Deployment"]["spec"]["replicas"] == 3


def test_the_service_listens_where_the_values_say(render):
    ports = render("juice", "service.port=8000")["Service"]["spec"]["ports"]
    assert ports[0]["port"] == 8000
