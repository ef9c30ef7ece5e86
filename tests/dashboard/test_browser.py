"""The page in a real browser: what a person does with it, without the network, with keyboard and mouse."""

from __future__ import annotations

import re

import pytest

from labkit.lab import Lab
from labkit.lab.layout import lay_out

from .conftest import HOSTILE, Shop, config, deployment, service, until

pytestmark = pytest.mark.browser


def node(page, kind, name=""):
    named = f'[data-name="{name}"]' if name else ""
    return page.locator(f'.rnode[data-kind="{kind}"]{named}')


def step(page, name):
    return page.locator(f'#loop .step[data-key="{name}"]')


@pytest.fixture
def web(shop):
    made = shop("web")
    made.push(deployment("web"), service("web"), config("settings", colour="green"), message="The first one")
    made.create(automated=True).wait()
    return made


def test_a_push_is_seen_going_through_the_loop_without_a_reload(browse, web):
    page = browse("web")
    page.evaluate("window.sameDocument = true")
    node(page, "ReplicaSet").wait_for()
    before = node(page, "ReplicaSet").get_attribute("data-uid")
    changed = deployment("web", replicas=2)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1.28"
    sha = web.push(changed, service("web"), config("settings", colour="blue"), message="Two of them, in blue")
    received = step(page, "received").filter(has_text=sha[:7])
    received.filter(has_text="Two of them, in blue by Trainee").wait_for()
    step(page, "rendered").filter(has_text="3 objects from 3 files").wait_for()
    step(page, "planned").filter(has_text="3 tasks in 1 wave").wait_for()
    page.locator('#loop .step[data-key="wave 0"][data-status="Succeeded"]').wait_for()
    page.locator('#loop .step[data-key="healthy"][data-status="Healthy"]').wait_for()
    page.locator(f'.rnode[data-kind="ReplicaSet"]:not([data-uid="{before}"])').wait_for()
    until(lambda: node(page, "Pod").count(), lambda count: count == 2)
    assert page.locator("#loop .why").inner_text().startswith("There is nothing to do")
    assert page.evaluate("window.sameDocument")


def test_the_page_says_which_gate_held_and_who_changed_what(browse, web, lab):
    page = browse("web")
    scale = {"spec": {"replicas": 3}}
    lab.cluster.patch(
        "apps/v1", "Deployment", "web", "web", patch=scale, subresource="scale", field_manager="a-person"
    )
    page.locator("#loop .why", has_text="selfHeal is off").wait_for()
    assert step(page, "planned").get_attribute("data-status") == "Held"
    page.locator("#loop .why summary", has_text="gates").click()
    page.locator(".gates li.warn", has_text="it stops here").wait_for()
    node(page, "Deployment").click()
    page.locator("#drawer [data-tab=difference]").click()
    row = page.locator("#drawer-body tr", has_text="spec.replicas")
    row.wait_for()
    assert row.locator("td").all_inner_texts()[:3] == ["spec.replicas", "3", "1"]
    assert "a-person" in row.inner_text()


def test_a_sync_is_planned_chosen_and_done(browse, shop, lab):
    made = shop("manual")
    made.push(config("a", v="1"), config("b", v="1"))
    app = made.create()
    until(lambda: app.status.sync, lambda sync: sync == "OutOfSync")
    page = browse("manual")
    page.get_by_role("button", name="Sync…").click()
    page.locator("dialog .plan li").nth(2).wait_for()
    assert "create Namespace manual" in page.locator("dialog .plan li").first.inner_text()
    page.locator("#dialog-go").click()
    page.locator("#head .badge", has_text="Synced").wait_for()
    made.push(config("a", v="2"), config("b", v="2"))
    page.locator("#head .badge", has_text="OutOfSync").wait_for()
    page.get_by_role("button", name="Sync…").click()
    page.locator('dialog input[value=":ConfigMap:manual/b"]').uncheck()
    page.locator("#dialog-go").click()
    until(lambda: lab.cluster.get("v1", "ConfigMap", "a", "manual")["data"], lambda data: data == {"v": "2"})
    assert lab.cluster.get("v1", "ConfigMap", "b", "manual")["data"] == {"v": "1"}
    page.locator(".rnode.warn", has_text="b").wait_for()


def test_a_rollback_from_the_history(browse, shop, lab):
    made = shop("back")
    made.push(config("a", v="1"))
    app = made.create()
    app.refresh().sync()
    made.push(config("a", v="2"))
    app.refresh().sync()
    page = browse("back")
    page.get_by_role("tab", name="History").click()
    page.get_by_role("button", name="Roll back to this…").click()
    page.locator("dialog .plan li", has_text="it differs").wait_for()
    page.locator("#dialog-go").click()
    page.locator("#other td", has_text=re.compile("^2$")).wait_for()  # the rollback's own entry
    assert lab.cluster.get("v1", "ConfigMap", "a", "back")["data"] == {"v": "1"}


def test_a_running_sync_shows_its_progress_and_can_be_terminated(browse, shop):
    made = shop("slow")
    never = deployment("never")
    never["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "-1"}
    never["spec"]["template"]["spec"]["containers"][0]["image"] = "no.such.registry/image:1"
    made.push(never, config("after", v="1"))
    made.create(automated=True)
    page = browse("slow")
    page.locator('#loop .step[data-key="wave -1"][data-status="Running"]').wait_for()
    assert step(page, "wave 0").get_attribute("data-status") == ""
    page.locator("#head progress").wait_for()
    page.get_by_role("button", name="Terminate").click()
    page.locator("#head .problem", has_text="Operation terminated").first.wait_for()
    page.locator("#loop .why", has_text="is not tried again by itself").wait_for()


def test_deleting_wants_the_name_and_shows_what_goes(browse, web, lab):
    page = browse("web", but="404")
    page.get_by_role("button", name="Delete…").click()
    page.locator("dialog .plan li", has_text="delete Deployment web").wait_for()
    assert page.locator("#dialog-go").is_disabled()
    page.locator("#confirm").fill("web")
    page.locator("#dialog-go").click()
    page.get_by_role("alert").filter(has_text="has been deleted").wait_for()
    assert "web" not in lab.apps


@pytest.fixture
def watchful(lab):
    """A project that looks for orphans; it goes after its applications."""
    made = {"sources": ["*"], "destinations": [("*", "*")], "cluster_kinds": [("*", "*")]}
    yield lab.projects.create("watchful", **made).monitor_orphans().name
    lab.projects.delete("watchful")


def test_what_belongs_to_no_application_is_shown_where_the_project_asks_for_it(watchful, browse, shop, lab):
    there = shop("orphans")
    there.push(config("known", a="1"))
    there.create(project=watchful, sync_options=["CreateNamespace=true"]).sync()
    page = browse("orphans")
    page.wait_for_selector("[data-name=known]")
    stray = config("stray", a="1") | {"metadata": {"name": "stray", "namespace": "orphans"}}
    lab.cluster.apply(stray, field_manager="somebody")
    card = page.wait_for_selector("[data-name=stray]")
    assert "orphaned" in card.inner_text()
    card.click()
    page.wait_for_selector("#drawer >> text=stray")


def test_hostile_text_is_shown_as_it_is(browse, shop):
    made = shop("hostile")
    made.push(deployment("web"), config("settings", text=HOSTILE), message=f"{HOSTILE} as a message")
    made.create(automated=True).wait()
    page = browse()
    page.locator(".tile", has_text="<img src=x onerror=alert(1)> as a message").wait_for()
    page.locator(".tile a", has_text="hostile").click()
    node(page, "ConfigMap").click()
    page.locator("#drawer [data-tab=live]").click()
    page.locator("#drawer-body pre", has_text=HOSTILE).wait_for()
    assert page.locator("img[src=x]").count() == 0


def test_applications_are_found_and_filtered(browse, shop, web):
    other = shop("other")
    other.push(config("a", v="1"), message="Quite another thing")
    other.create()
    page = browse()
    page.locator(".tile", has_text="Quite another thing").wait_for()
    page.get_by_role("searchbox").fill("quite")
    page.locator(".tile", has_text="The first one").wait_for(state="hidden")
    assert page.locator(".tile:visible h3").all_inner_texts() == ["other"]
    page.get_by_role("searchbox").fill("no such thing")
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Health").select_option("Healthy")
    page.locator(".tile", has_text="Quite another").wait_for(state="hidden")
    page.get_by_role("button", name="Table").click()
    page.locator("table.applications tr:visible", has_text="The first one").wait_for()
    page.locator("table.applications tr", has_text="Quite another").wait_for(state="hidden")


def test_everything_is_reached_with_the_keyboard(browse, web):
    page = browse("web")
    node(page, "Pod").wait_for()
    node(page, "Application").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.kind") == "ConfigMap"
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    until(lambda: page.locator(".rnode").count(), lambda count: count == 1)
    assert page.evaluate("document.activeElement.ariaExpanded") == "false"
    page.keyboard.press("ArrowRight")
    node(page, "Pod").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("#drawer-title", has_text="ConfigMap settings").wait_for()
    page.keyboard.press("Escape")
    page.locator("#drawer").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.dataset.kind") == "ConfigMap"


def test_a_page_catches_up_when_the_lab_is_back_and_is_still_signed_in(browse, tmp_path):
    lay_out(tmp_path / "lab")
    with Lab(tmp_path / "lab") as lab:
        made = Shop(lab, "web")
        made.push(config("first", v="1"))
        made.create(automated=True).wait()
        page = browse(link=lab.dashboard_link("web"), but="ERR_")
        node(page, "ConfigMap", "first").wait_for()
        lab.stop()
        page.locator("#live[data-state=reconnecting]").wait_for()
    with Lab(tmp_path / "lab") as lab:
        page.locator("#live[data-state=live]").wait_for()
        made.push(config("first", v="1"), config("later", v="1"), message="After the pause")
        step(page, "received").filter(has_text="After the pause").wait_for()
        node(page, "ConfigMap", "later").wait_for()
        lab.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browse, web, scheme):
    page = browse("web", color_scheme=scheme, reduced_motion="reduce")
    node(page, "Pod").wait_for()
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 20
    assert min(ratios.values()) >= 4.5, sorted(ratios.items(), key=lambda item: item[1])[:3]


def test_a_narrow_screen_needs_no_sideways_scrolling(browse, web):
    page = browse("web", viewport={"width": 360, "height": 740})
    node(page, "Pod").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(
        "document.querySelector('#tree').scrollWidth <= document.querySelector('#tree').clientWidth"
    )
    node(page, "Deployment").click()
    page.locator("#drawer-body .facts").wait_for()
    assert page.locator("#drawer").bounding_box()["width"] <= 360


def test_who_wants_no_motion_gets_none(browse, web):
    page = browse("web", reduced_motion="reduce")
    web.push(deployment("web"), config("settings", colour="blue"), message="Calmly")
    step(page, "received").filter(has_text="Calmly").wait_for()
    assert page.evaluate("document.getAnimations().length") == 0


def test_five_hundred_resources_stay_smooth(browse, shop):
    made = shop("many")
    made.push(*[config(f"settings-{number:03}", v="1") for number in range(500)])
    app = made.create()
    until(lambda: app.status.sync, lambda sync: sync == "OutOfSync")
    page = browse("many")
    page.locator("#tree-count", has_text="500 objects").wait_for()
    node(page, "ConfigMap").first.wait_for()
    assert page.locator(".rnode").count() < 120  # what is out of sight is not drawn
    most = page.evaluate(SCROLL)
    assert page.locator('.rnode[data-name="settings-499"]').count() == 1
    assert most < 120
    page.locator("#tree-words").fill("settings-321")
    until(lambda: page.locator(".rnode").count(), lambda count: count == 2)


CONTRAST = """() => {
  const number = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = number(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = {};
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !element.checkVisibility() || element.closest("select, .not-yet")) continue;
    if (element.disabled || element.closest(".skip")) continue;
    const [a, b] = [light(number(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const name = `${element.tagName}.${element.className} ${walk.currentNode.data.trim().slice(0, 30)}`;
    found[name] = Math.min(found[name] ?? 99, ratio);
  }
  return found;
}"""

SCROLL = """async () => {
  const place = document.getElementById("tree");
  let most = 0;
  for (let step = 1; step <= 30; step++) {
    place.scrollTop = (place.scrollHeight * step) / 30;
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    most = Math.max(most, place.querySelectorAll(".rnode").length);
  }
  return most;
}"""
