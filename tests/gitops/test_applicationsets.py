"""What ApplicationSets make of their generators and template, and what is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from labkit.errors import LabError, RenderLimit, RepositoryNotFound
from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.applicationsets import ApplicationSet, Inputs, PullRequest, generate
from labkit.gitops.applicationsets.parameters import flat, normalised, slug

JSON = dict[str, Any]
TEMPLATE: JSON = {
    "metadata": {"name": "{{name}}"},
    "spec": {
        "project": "default",
        "source": {"repoURL": "https://git.example.com/shop", "path": "{{name}}"},
        "destination": {"name": "in-cluster", "namespace": "{{name}}"},
    },
}

GO_TEMPLATE: JSON = json.loads(json.dumps(TEMPLATE).replace("{{name}}", "web"))


def appset(*generators: JSON, template: JSON = TEMPLATE, **spec: Any) -> ApplicationSet:
    spec = {"generators": list(generators), "template": template} | spec
    return ApplicationSet.from_object({"metadata": {"name": "set", "namespace": "argocd"}, "spec": spec})


def names(*generators: JSON, inputs: Inputs | None = None, name: str = "{{name}}", **spec: Any) -> list[str]:
    template = (GO_TEMPLATE if spec.get("goTemplate") else TEMPLATE) | {"metadata": {"name": name}}
    return [one.name for one in generate(appset(*generators, template=template, **spec), inputs or Inputs())]


def elements(*found: JSON) -> JSON:
    return {"list": {"elements": list(found)}}


def cluster(name: str, **labels: str) -> JSON:
    data = {"name": name, "server": f"https://{name}.example.com", "config": '{"bearerToken": "s3cret"}'}
    return {
        "metadata": {
            "name": f"cluster-{name}",
            "labels": {"argocd.argoproj.io/secret-type": "cluster"} | labels,
        },
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }


# -- generators


def test_a_list_makes_an_application_for_each_element():
    assert names(elements({"name": "a"}, {"name": "b"})) == ["a", "b"]


def test_flat_parameters_are_texts():
    with pytest.raises(InvalidSpec) as error:
        names(elements({"name": "a", "replicas": 3}))
    assert error.value.where == "spec.generators[0].list.elements[0].replicas"


def test_a_list_may_be_a_text_of_yaml():
    generator = {"list": {"elementsYaml": "- name: a\n- name: b"}}
    assert names(generator, name="{{.name}}", goTemplate=True) == ["a", "b"]


def test_clusters_are_those_registered_and_the_labs_own():
    inputs = Inputs(clusters=lambda: [cluster("west", env="prod"), cluster("east", env="test")])
    assert names({"clusters": {}}, inputs=inputs) == ["east", "west", "in-cluster"]
    assert names({"clusters": {"selector": {"matchLabels": {"env": "prod"}}}}, inputs=inputs) == ["west"]
    assert (
        names(
            {"clusters": {"values": {"tier": "t-{{metadata.labels.env}}"}}},
            inputs=Inputs(clusters=lambda: [cluster("west", env="prod")]),
            name="{{name}}-{{values.tier}}",
        )[0]
        == "west-t-prod"
    )


def test_a_cluster_shows_no_credential():
    found = generate(appset({"clusters": {}}), Inputs(clusters=lambda: [cluster("west")]))
    assert "s3cret" not in str(found)


def test_flat_lists_of_clusters_are_one_set():
    inputs = Inputs(clusters=lambda: [cluster("west"), cluster("east")])
    name = "{{ range $i, $c := .clusters }}{{ $c.name }}{{ if lt $i 2 }}-{{ end }}{{ end }}"
    assert names({"clusters": {"flatList": True}}, inputs=inputs, name=name, goTemplate=True) == [
        "east-west-in-cluster"
    ]


@pytest.fixture
def repository(tmp_path: Path) -> Inputs:
    for name, content in {
        "apps/web/config.json": '{"name": "web", "team": {"lead": "ann"}}',
        "apps/api/config.yaml": "- name: api-1\n- name: api-2\n",
        "apps/old/config.json": "{}",
        "apps/.hidden/x": "",
        "config.json": '{"name": "root"}',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return Inputs(checkout=lambda _url, _revision: tmp_path)


def git(**spec: Any) -> JSON:
    return {"git": {"repoURL": "https://git.example.com/shop"} | spec}


def test_folders_of_a_repository(repository):
    generator = git(directories=[{"path": "apps/*"}, {"path": "apps/old", "exclude": True}])
    assert names(generator, inputs=repository, name="{{path.basename}}-{{path[0]}}") == [
        "api-apps",
        "web-apps",
    ]
    go = names(
        generator, inputs=repository, name="{{.path.basename}}-{{index .path.segments 0}}", goTemplate=True
    )
    assert go == ["api-apps", "web-apps"]
    assert names(git(directories=[{"path": "*"}]), inputs=repository, name="{{path}}") == ["apps"]


def test_files_of_a_repository(repository):
    generator = git(files=[{"path": "apps/*.json"}, {"path": "apps/old", "exclude": True}])
    assert names(generator, inputs=repository, name="{{name}}-{{team.lead}}-{{path.basename}}") == [
        "web-ann-web"
    ]
    assert names(git(files=[{"path": "apps/*.yaml"}]), inputs=repository) == ["api-1", "api-2"]
    assert names(git(files=[{"path": "config.json"}]), inputs=repository, name="{{name}}{{path}}") == [
        "root."
    ]


def test_files_that_are_no_mapping_are_named(repository):
    folder = repository.checkout("", "")
    (folder / "apps/bad.json").write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(LabError) as error:
        names(git(files=[{"path": "apps/bad.json"}]), inputs=repository)
    assert error.value.where == "apps/bad.json"


def test_links_in_a_repository_are_not_followed(repository, tmp_path):
    (tmp_path / "apps/link").symlink_to("/etc")
    (tmp_path / "apps/link.json").symlink_to("/etc/hostname")
    found = names(git(directories=[{"path": "apps/*"}]), inputs=repository, name="{{path.basename}}")
    assert found == ["api", "old", "web"]
    assert names(git(files=[{"path": "apps/link.json"}]), inputs=repository) == []


def test_a_matrix_fills_its_second_generator_with_the_first(repository):
    matrix = {
        "matrix": {
            "generators": [
                git(directories=[{"path": "apps/*"}]),
                {"list": {"elements": [{"env": "{{path.basename}}-test"}, {"env": "prod"}]}},
            ]
        }
    }
    assert names(matrix, inputs=repository, name="{{path.basename}}.{{env}}")[:2] == [
        "api.api-test",
        "api.prod",
    ]
    assert len(names(matrix, inputs=repository, name="{{path.basename}}.{{env}}")) == 6


def test_a_matrix_whose_generators_disagree_says_so():
    with pytest.raises(InvalidSpec, match="found duplicate key name with different value, a: a ,b: b"):
        names({"matrix": {"generators": [elements({"name": "a"}), elements({"name": "b"})]}})


def test_a_matrix_has_two_generators_and_is_not_endlessly_deep():
    with pytest.raises(InvalidSpec, match="Matrix support only two"):
        names({"matrix": {"generators": [elements({"name": "a"})]}})
    deep = elements({"name": "a"})
    for _ in range(4):
        deep = {"matrix": {"generators": [deep, elements({"x": "y"})]}}
    with pytest.raises(InvalidSpec, match="deeper than 2"):
        names(deep)


def test_a_matrix_that_multiplies_without_end_is_stopped():
    many = elements(*({"name": f"a{i}"} for i in range(300)))
    other = elements(*({"env": f"e{i}"} for i in range(300)))
    with pytest.raises(InvalidSpec, match="5000 are the most"):
        names({"matrix": {"generators": [many, other]}})


def test_merge_changes_what_has_the_same_keys():
    merge = {
        "merge": {
            "mergeKeys": ["name"],
            "generators": [
                elements({"name": "a", "size": "small"}, {"name": "b", "size": "small"}),
                elements({"name": "b", "size": "large"}, {"name": "c", "size": "large"}),
            ],
        }
    }
    assert names(merge, name="{{name}}-{{size}}") == ["a-small", "b-large"]


def test_merge_wants_keys_that_tell_apart():
    merge = [elements({"name": "a", "size": "s"}, {"name": "b", "size": "s"}), elements()]
    with pytest.raises(InvalidSpec, match=r'Duplicate key was \{"size": "s"\}'):
        names({"merge": {"mergeKeys": ["size"], "generators": merge}})


def test_a_selector_keeps_what_it_matches():
    chosen = elements({"name": "a", "env": "prod"}, {"name": "b", "env": "test"})
    assert names(chosen | {"selector": {"matchLabels": {"env": "prod"}}}) == ["a"]
    tree = elements({"name": "a", "at": {"env": "prod"}}, {"name": "b", "at": {"env": "test"}})
    selector = {"matchExpressions": [{"key": "at.env", "operator": "NotIn", "values": ["prod"]}]}
    assert names(tree | {"selector": selector}, name="{{.name}}", goTemplate=True) == ["b"]


PULLS = [
    PullRequest(7, "Blue", "feature/Blue_Page", "main", "abcdef1234567890", "ann", ("preview",)),
    PullRequest(3, "Docs", "docs", "main", "1234567890abcdef", "bob"),
]


def pulls(**spec: Any) -> JSON:
    return {"pullRequest": {"gitea": {"owner": "lab", "repo": "shop"}} | spec}


def test_pull_requests():
    inputs = Inputs(pull_requests=lambda repository: PULLS if repository.name == "shop" else [])
    assert names(pulls(), inputs=inputs, name="pr-{{number}}-{{branch_slug}}-{{head_short_sha}}") == [
        "pr-3-docs-12345678",
        "pr-7-feature-blue-page-abcdef12",
    ]
    labelled = {"pullRequest": {"gitea": {"owner": "lab", "repo": "shop", "labels": ["preview"]}}}
    assert names(labelled, inputs=inputs, name="pr-{{number}}") == ["pr-7"]
    assert names(pulls(filters=[{"branchMatch": "^docs$"}]), inputs=inputs, name="pr-{{number}}") == ["pr-3"]


def test_a_repository_that_is_gone_may_be_passed_over():
    def gone(_repository):
        raise RepositoryNotFound("no such repository")

    assert names(pulls(continueOnRepoNotFoundError=True), inputs=Inputs(pull_requests=gone)) == []
    with pytest.raises(RepositoryNotFound):
        names(pulls(), inputs=Inputs(pull_requests=gone))


def test_a_filter_that_is_no_expression_is_refused():
    with pytest.raises(InvalidSpec, match="is no regular expression"):
        names(pulls(filters=[{"branchMatch": "("}]), inputs=Inputs(pull_requests=lambda _r: PULLS))


@pytest.mark.parametrize(
    ("generator", "problem"),
    [
        ({}, "one generator is wanted here, not none"),
        ({"list": {}, "git": {}}, "one generator is wanted here, not list, git"),
        ({"lists": {}}, "there is no generator 'lists'"),
        ({"scmProvider": {"github": {}}}, "the generator scmProvider is Argo CD's"),
        ({"list": []}, "a mapping is wanted"),
        ({"list": {"elements": "a"}}, "a list is wanted"),
        (git(), "neither directories nor files"),
    ],
)
def test_a_generator_that_makes_no_sense_is_named(generator, problem, repository):
    with pytest.raises(InvalidSpec, match=problem) as error:
        names(generator, inputs=repository)
    assert error.value.where.startswith("spec.generators[0]")


# -- templates


def test_what_a_parameter_puts_in_is_no_template():
    found = names(elements({"name": "{{other}}", "other": "secret"}))
    assert found == ["{{other}}"]
    go = names(elements({"name": "{{.other}}", "other": "secret"}), name="{{.name}}", goTemplate=True)
    assert go == ["{{.other}}"]


def test_go_templates_have_sprig_and_argos_own_functions():
    found = names(
        elements({"name": "Feature/New_Page", "yaml": "a: [1, 2]"}),
        name="{{ .name | normalize }}-{{ slugify 7 true .name }}-{{ (fromYaml .yaml).a | len }}-{{ len .name }}",
        goTemplate=True,
    )
    assert found == ["feature-new-page-feature-2-16"]


@pytest.mark.parametrize(
    "function", ["tpl", "include", "lookup", "required", "env", "expandenv", "getHostByName"]
)
def test_go_templates_have_no_functions_of_helms_and_see_nothing_of_the_machine(function):
    with pytest.raises(LabError, match=f'function "{function}" not defined'):
        names(elements({"name": "a"}), name=f'{{{{ {function} "HOME" . }}}}', goTemplate=True)


def test_a_missing_key_is_an_error_where_the_set_says_so():
    spec = {"goTemplate": True, "name": "{{.name}}-{{.nmae}}"}
    assert names(elements({"name": "a"}), **spec) == ["a-<no value>"]
    with pytest.raises(LabError, match='map has no entry for key "nmae"'):
        names(elements({"name": "a"}), goTemplateOptions=["missingkey=error"], **spec)


def test_an_option_that_go_does_not_know_is_refused():
    with pytest.raises(InvalidSpec) as error:
        appset(elements(), goTemplateOptions=["missingkey=fail"])
    assert error.value.where == "spec.goTemplateOptions[0]"


def test_a_template_that_never_ends_is_ended():
    endless = "{{ range until 100000000 }}{{ range until 100000000 }}x{{ end }}{{ end }}"
    with pytest.raises(RenderLimit):
        names(elements({"name": "a"}), name=endless, goTemplate=True)


def test_a_tag_that_is_not_closed_is_an_error():
    with pytest.raises(LabError, match="cannot find end tag"):
        names(elements({"name": "a"}), name="{{name}}-{{name")


def test_a_generators_own_template_wins_where_it_says_something():
    generator = elements({"name": "a"})
    generator["list"]["template"] = {"metadata": {}, "spec": {"source": {"path": "own"}, "destination": {}}}
    (found,) = generate(appset(generator), Inputs())
    assert found.application["spec"]["source"] == {"repoURL": "https://git.example.com/shop", "path": "own"}


def test_a_patch_changes_one_application_and_not_its_project():
    patch = """
metadata:
  labels: {tier: {{ .tier }}}
spec:
  project: other
  source: {path: null, chart: {{ .name }}}
{{- if eq .tier "gold" }}
  syncPolicy: {automated: {prune: true}}
{{- end }}
"""
    template = GO_TEMPLATE | {"metadata": {"name": "{{.name}}"}}
    found = generate(
        appset(
            elements({"name": "a", "tier": "gold"}, {"name": "b", "tier": "tin"}),
            template=template,
            templatePatch=patch,
            goTemplate=True,
        ),
        Inputs(),
    )
    gold, tin = (one.application for one in found)
    assert gold["metadata"]["labels"] == {"tier": "gold"}
    assert gold["spec"]["project"] == "default"
    assert gold["spec"]["source"] == {"repoURL": "https://git.example.com/shop", "chart": "a"}
    assert gold["spec"]["syncPolicy"] == {"automated": {"prune": True}}
    assert "syncPolicy" not in tin["spec"]


def test_applications_are_beside_their_set_and_clean_up_unless_told_not_to():
    template = TEMPLATE | {"metadata": {"name": "{{name}}", "namespace": "kube-system"}}
    (found,) = generate(appset(elements({"name": "a"}), template=template), Inputs())
    assert found.application["metadata"]["namespace"] == "argocd"
    assert found.application["metadata"]["finalizers"] == ["resources-finalizer.argocd.argoproj.io"]
    kept = appset(elements({"name": "a"}), syncPolicy={"preserveResourcesOnDeletion": True})
    assert "finalizers" not in generate(kept, Inputs())[0].application["metadata"]


def test_an_application_that_makes_no_sense_does_not_spoil_the_others():
    found = generate(appset(elements({"name": "a"}, {"name": "a"}, {"name": ""}, {"name": "b"})), Inputs())
    assert [bool(one.problem) for one in found] == [False, True, True, False]
    assert "duplicate name: a" in found[1].problem
    assert "no name" in found[2].problem


def test_names_are_made_of_texts():
    assert normalised("Feature/New_Page!") == "feature-new-page"
    assert slug("feat/a_Very-Long name, that goes on and on and on, and further") == (
        "feat-a-very-long-name-that-goes-on-and-on-and-on"
    )
    assert slug("é&ß") == "eand"
    assert flat({"a": {"b": [1, True, None, 1.5, 1000000]}}) == {
        "a.b.0": "1", "a.b.1": "true", "a.b.2": "<nil>", "a.b.3": "1.5", "a.b.4": "1e+06",
    }  # fmt: skip
