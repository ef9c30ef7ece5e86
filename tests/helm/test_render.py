from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.errors import ChartError, HelmError
from labkit.helm import Chart, Release

from .conftest import CHART_YAML, CONFIG_MAP, MakeChart

Build = Callable[..., Chart]


def config(**data: str) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in data.items())
    return f"{CONFIG_MAP}data:\n{lines}"


def test_templates_see_the_release(chart: Build) -> None:
    text = config(name="{{ .Release.Name }}", ns="{{ .Release.Namespace }}", up='"{{ .Release.IsUpgrade }}"')
    data = chart(text).render(Release("shop", "prod", is_upgrade=True)).objects[0].obj["data"]
    assert data == {"name": "shop", "ns": "prod", "up": "true"}


def test_templates_see_the_cluster_that_they_are_rendered_for(chart: Build) -> None:
    text = config(
        version="{{ .Capabilities.KubeVersion.Version }}",
        has='"{{ .Capabilities.APIVersions.Has "lab.io/v1" }}"',
    )
    built = chart(text)
    seen = built.render(kube_version="1.29.3", api_versions=["lab.io/v1"]).objects[0].obj["data"]
    assert seen == {"version": "v1.29.3", "has": "true"}
    assert built.render().objects[0].obj["data"]["has"] == "false"


def test_a_chart_for_another_kubernetes_is_refused(chart: Build) -> None:
    built = chart(**{"Chart.yaml": CHART_YAML + 'kubeVersion: ">=1.30.0-0"\n'})
    assert built.render(kube_version="1.31.0").objects
    with pytest.raises(ChartError, match=r"wants Kubernetes >=1\.30\.0-0, and this is v1\.29\.0") as caught:
        built.render(kube_version="1.29.0")
    assert caught.value.where == "web/Chart.yaml"


def test_objects_carry_the_template_and_line_they_came_from(chart: Build) -> None:
    text = (
        "{{- if .Values.first }}\n"
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
        "{{- end }}\n---\n"
        "# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n---\n"
        "{{ range .Values.names }}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: {{ . }}}\n{{ end }}"
    )
    built = chart(text, values="names: [c, d]\n")
    seen = [(o.kind, o.name, o.template, o.line) for o in built.render().objects]
    assert seen == [
        ("Secret", "c", "templates/a.yaml", 14),
        ("Secret", "d", "templates/a.yaml", 14),
        ("ConfigMap", "b", "templates/a.yaml", 8),
    ]
    assert ("Service", 2) in [(o.kind, o.line) for o in built.render(set=["first=true"]).objects]


def test_documents_that_say_nothing_are_left_out(chart: Build) -> None:
    text = (
        "# only a comment\n---\n\n---\n{{ if false }}x{{ end }}\n---\n" + CONFIG_MAP + "---\n# and one more\n"
    )
    assert [o.kind for o in chart(text).render().objects] == ["ConfigMap"]


def test_a_list_is_taken_apart(chart: Build) -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        f"  - {{apiVersion: v1, kind: ConfigMap, metadata: {{name: c{n}}}}}\n" for n in range(2)
    )
    assert [o.name for o in chart(text).render().objects] == ["c0", "c1"]


def test_objects_come_in_the_order_of_installing_and_hooks_last(chart: Build) -> None:
    kinds = ["Deployment", "Widget", "Service", "Namespace", "ConfigMap"]
    hook = "apiVersion: v1\nkind: Pod\nmetadata: {name: h, annotations: {helm.sh/hook: 'pre-install, post-upgrade'}}\n"
    text = hook + "".join(f"---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: x}}\n" for kind in kinds)
    rendered = chart(text).render()
    assert [o.kind for o in rendered.objects] == [
        "Namespace", "ConfigMap", "Service", "Deployment", "Widget", "Pod"
    ]  # fmt: skip
    assert [h.hooks for h in rendered.hooks] == [("pre-install", "post-upgrade")]


def test_tests_may_be_left_out_and_unknown_hooks_are_with_a_warning(chart: Build) -> None:
    text = "".join(
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {hook}, annotations: {{helm.sh/hook: {hook}}}}}\n"
        for hook in ("test", "pre-instal")
    )
    rendered = chart(text).render()
    assert [o.name for o in rendered.objects] == ["test"]
    assert "'pre-instal'" in rendered.warnings[0]
    assert chart(text).render(skip_tests=True).objects == ()


def test_custom_resource_definitions_come_first_or_not_at_all(chart: Build) -> None:
    crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: {{ raw }}}\n"
    built = chart(CONFIG_MAP, **{"crds/w.yaml": crd.replace("{{ raw }}", "widgets.lab.io")})
    rendered = built.render()
    assert [(o.kind, o.template) for o in rendered.objects] == [
        ("CustomResourceDefinition", "crds/w.yaml"),
        ("ConfigMap", "templates/a.yaml"),
    ]
    assert rendered.crds == rendered.objects[:1]
    assert [o.kind for o in built.render(include_crds=False).objects] == ["ConfigMap"]


def test_notes_are_text_and_no_object(chart: Build) -> None:
    rendered = chart(
        CONFIG_MAP, **{"templates/NOTES.txt": "Hello {{ .Release.Name }}: 'x'\n# not yaml: {\n"}
    ).render("shop")
    assert rendered.notes == "Hello shop: 'x'\n# not yaml: {\n"
    assert len(rendered.objects) == 1


def test_a_subchart_renders_with_its_values_under_its_alias(make_chart: MakeChart, backend: str) -> None:
    dependencies = (
        "dependencies:\n- {name: sub, version: 0.1.0, alias: cache, condition: cache.enabled}\n"
        "- {name: sub, version: 0.1.0, alias: other, condition: other.enabled}\n"
    )
    root = make_chart(
        {
            "Chart.yaml": CHART_YAML + dependencies,
            "values.yaml": "cache: {enabled: true, colour: red}\nother: {enabled: false}\nglobal: {g: 1}\n",
            "templates/a.yaml": CONFIG_MAP,
            "charts/any-folder/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
            "charts/any-folder/values.yaml": "colour: blue\nsize: 1\n",
            "charts/any-folder/templates/s.yaml": config(
                c="{{ .Values.colour }}", g='"{{ .Values.global.g }}"'
            ),
        }
    )
    built = Chart(root, with_backend=backend)
    seen = {o.template: o.obj.get("data") for o in built.render().objects}
    assert seen == {
        "templates/a.yaml": None,
        "charts/any-folder/templates/s.yaml": {"c": "red", "g": "1"},
    }
    assert built.merged()["cache"] == {"colour": "red", "size": 1, "enabled": True, "global": {"g": 1}}


def test_a_packed_subchart_renders_like_an_unpacked_one(
    make_chart: MakeChart, packed: Callable[[Path], Path], backend: str
) -> None:
    sub = make_chart(
        {
            "Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
            "templates/s.yaml": config(x="{{ .Values.a.b }}"),
        },
        folder="sub",
    )
    root = make_chart({"charts/sub-0.1.0.tgz": packed(sub).read_bytes(), "templates/a.yaml": CONFIG_MAP})
    built = Chart(root, with_backend=backend, shown_as="web")
    templates = [o.template for o in built.render(set=["sub.a.b=1"]).objects]
    assert templates == ["charts/sub-0.1.0/templates/s.yaml", "templates/a.yaml"]
    with pytest.raises(HelmError) as caught:
        built.render()
    assert caught.value.where == "web/charts/sub-0.1.0.tgz!templates/s.yaml:6:15"
    assert "x: {{ .Values.a.b }}" in caught.value.problem


def test_a_packaged_chart_renders_like_its_folder(chart: Build, tmp_path: Path, backend: str) -> None:
    built = chart(config(x="{{ .Values.x }}"), values="x: 1\n")
    archive = built.package(tmp_path / "out")
    assert archive.name == "web-0.1.0.tgz"
    assert Chart.load(archive, with_backend=backend).render().manifest == built.render().manifest


def test_a_change_of_a_file_shows_in_the_next_render(chart: Build) -> None:
    built = chart(config(x="before"))
    assert built.render().objects[0].obj["data"] == {"x": "before"}
    (built.path / "templates" / "a.yaml").write_text(config(x="after"))
    assert built.render().objects[0].obj["data"] == {"x": "after"}


def test_helmignored_templates_do_not_render(chart: Build) -> None:
    built = chart(CONFIG_MAP, **{".helmignore": "draft*\n", "templates/draft.yaml": "{{ broken"})
    assert len(built.render().objects) == 1


def test_a_key_that_is_rendered_twice_counts_once_and_is_remarked_on(chart: Build) -> None:
    rendered = chart(config(x="1") + "  x: '2'\n").render()
    assert rendered.objects[0].obj["data"] == {"x": "2"}
    assert 'key "x"' in rendered.warnings[0]


def test_a_library_chart_renders_nothing_by_itself(chart: Build) -> None:
    with pytest.raises(ChartError, match="library chart"):
        chart(**{"Chart.yaml": CHART_YAML + "type: library\n"}).render()


@pytest.mark.parametrize("name", ["Shop", "a_b", "", "x" * 54, "-a", "a b"])
def test_a_release_has_a_name_that_kubernetes_takes(chart: Build, name: str) -> None:
    with pytest.raises(HelmError, match="cannot be the name of a release"):
        chart().render(name)


def test_schema_validation_can_be_left_out(chart: Build) -> None:
    schema = '{"required": ["colour"]}'
    built = chart(**{"values.schema.json": schema})
    with pytest.raises(HelmError, match="missing property 'colour'"):
        built.render()
    assert built.render(skip_schema_validation=True).objects
