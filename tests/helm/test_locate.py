from labkit.helm.locate import Template

SOURCE = """\
{{- if .Values.first }}
apiVersion: v1
kind: Service
metadata:
  name: first-{{ .Release.Name }}
---
{{- end }}
apiVersion: v1
kind: Service
metadata:
  name: second-{{ .Release.Name }}
spec:
  ports:
{{ toYaml .Values.ports | indent 4 }}
  type: {{ .Values.type }} # {{ .Chart.Name }} {{ .Chart.Version }}
"""


def test_a_literal_line_is_found() -> None:
    rendered = ["apiVersion: v1", "kind: Service", "metadata:", "  name: first-x", "---"]
    assert [Template(SOURCE).line_of(rendered, index) for index in (0, 1, 3)] == [2, 3, 5]


def test_a_line_with_actions_is_found_by_what_stands_around_them() -> None:
    assert Template(SOURCE).line_of(["  type: NodePort # web 0.1.0"], 0) == 15


def test_a_line_that_an_action_made_points_to_the_nearest_before_it() -> None:
    rendered = ["spec:", "  ports:", "    - port: 80", "      name: http"]
    assert Template(SOURCE).line_of(rendered, 3) == 13


def test_a_document_is_found_by_its_kind_and_name() -> None:
    text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: second-x\n"
    assert Template(SOURCE).document_line(text, 0) == 8
    assert Template(SOURCE).document_line(text.replace("second", "first"), 0) == 2


def test_a_document_from_elsewhere_is_at_the_first_line() -> None:
    assert Template('{{ include "all" . }}').document_line("kind: Service\n", 0) == 1
    assert Template("").document_line("kind: Service\n", 0) == 1


def test_a_template_that_is_hard_to_match_takes_no_time() -> None:
    hard = Template("a" + "{{ x }}a" * 120 + "b")
    assert hard.line_of(["a" * 100_000] * 50, 49) == 1
