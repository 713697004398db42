"""The page in a real Chromium."""

import base64
import os
import re

import pytest

# Zeros behind the bytes are made there, for to send many takes its time.
DROP = """([text, zeros, name, kind]) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const data = new DataTransfer();
    const parts = [bytes, new Uint8Array(zeros)];
    data.items.add(new File(parts, name, { type: kind }));
    for (const what of ["dragenter", "dragover", "drop"]) {
        document.querySelector("#drop").dispatchEvent(new DragEvent(what, {
            dataTransfer: data, bubbles: true, cancelable: true }));
    }
}"""
PASTE = """([text]) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "", { type: "image/png" }));
    const pasted = new ClipboardEvent("paste", { clipboardData: data });
    document.dispatchEvent(pasted);
}"""


@pytest.fixture
def page(browser, address):
    """The page of the pictures, which must meet no error of its own."""
    page = browser.new_page(viewport={"width": 1100, "height": 800})
    page.set_default_timeout(15_000)
    errors, asked = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_selector("#about:not(:empty)")
    yield page
    page.close()
    assert not errors
    # Of nobody else.
    assert all(url.startswith((address, "blob:")) for url in asked)


def drop(page, content, name="photo.png", kind="image/png", zeros=0):
    text = base64.b64encode(content).decode()
    page.evaluate(DROP, [text, zeros, name, kind])


def wait_for(page, text):
    page.wait_for_selector(f"#status:has-text('{text}')")


def labels(page):
    return page.locator(".grid .label").all_inner_texts()


def test_a_dropped_photograph_finds_its_like_first(page, picture):
    drop(page, picture("greens"), "<b>my</b> photo.png")
    wait_for(page, "pictures found in")
    assert page.inner_text("#asked") == "<b>my</b> photo.png"
    assert labels(page)[:10] == ["greens"] * 10
    first = page.locator(".grid li").first
    assert "cosine" in first.locator(".near").inner_text()
    shown = first.locator("img")
    assert shown.evaluate("image => image.decode().then(() => 1)") == 1
    assert page.locator("#query").evaluate("q => q.decode().then(() => 1)")
    # Tags in a name are letters.
    names = page.locator(".grid .name").all_inner_texts()
    assert "<img src=x onerror=alert(1)>&amp;.png" in names
    assert page.locator("img[src='x']").count() == 0


def test_a_photograph_may_come_before_the_page_is_told_anything(
    browser, address, picture
):
    page = browser.new_page()
    held = []
    page.route("**/healthz", lambda route: held.append(route))
    page.goto(address)
    drop(page, picture("reds"))
    wait_for(page, "found in")
    held[0].continue_()
    page.wait_for_selector("#about:not(:empty)")
    page.wait_for_load_state("networkidle")
    assert labels(page)[:5] == ["reds"] * 5
    page.close()


def test_more_like_this_and_back(page, picture):
    drop(page, picture("blues"))
    wait_for(page, "found in")
    found = page.locator(".grid .name").all_inner_texts()
    page.locator(".picture").nth(3).click()
    wait_for(page, "like this one")
    assert found[3] not in page.locator(".grid .name").all_inner_texts()[:1]
    assert labels(page)[:5] == ["blues"] * 5
    page.go_back()
    wait_for(page, "found in")
    assert page.locator(".grid .name").all_inner_texts() == found


def test_a_chosen_and_a_pasted_file(page, picture):
    page.set_input_files(
        "#file",
        {
            "name": "photo.jpg",
            "mimeType": "image/jpeg",
            "buffer": picture("reds", format="JPEG"),
        },
    )
    wait_for(page, "found in")
    assert labels(page)[:10] == ["reds"] * 10
    page.evaluate(PASTE, [base64.b64encode(picture("blues")).decode()])
    page.wait_for_selector("#asked:has-text('pasted')")
    assert labels(page)[:5] == ["blues"] * 5


def test_what_is_no_photograph_is_told(page):
    for content, zeros, name, told in (
        (b"<script>alert(1)</script>", 0, "a.html", "must be a JPEG"),
        (b"\xff\xd8\xff", 0, "half.jpg", "must be whole"),
        (b"\xff\xd8\xff", 32 * 2**20, "huge.jpg", "32 MB at most"),
    ):
        drop(page, content, name, "text/html", zeros)
        wait_for(page, told)
        assert page.locator("#status.wrong").count() == 1
        assert page.locator(".grid li").count() == 0


def test_browse_by_class_and_by_code(page):
    page.click("text=Browse")
    wait_for(page, "38 pictures")
    page.select_option("#labels", "reds")
    wait_for(page, "12 pictures")
    assert set(labels(page)) == {"reds"}
    page.locator(".grid .code").first.click()
    page.wait_for_selector(".near")
    code = page.input_value("#code")
    assert len(code) == 4 and page.input_value("#radius") == "2"
    assert page.locator(".near").first.inner_text() == "0 bits"
    page.fill("#radius", "16")
    page.press("#radius", "Enter")
    wait_for(page, "38 pictures")
    page.fill("#code", "zz")
    page.press("#code", "Enter")
    wait_for(page, "hexadecimal digits")


def test_duplicates(page):
    page.click("text=Duplicates")
    wait_for(page, "no file is deleted")
    names = page.locator(".grid .name").all_inner_texts()
    assert "copy.png" in names and "0.png" in names


def test_a_large_group_tells_its_size(page):
    def cut(route):
        answer = route.fetch()
        told = answer.json()
        told["groups"] = [group[:2] for group in told["groups"]]
        route.fulfill(response=answer, json=told)

    page.route("**/duplicates?*", cut)
    page.goto(page.url + "#/duplicates/128")
    wait_for(page, "no file is deleted")
    title = page.locator("h2").first.inner_text()
    assert re.fullmatch(r"\d+ files, the first 2 of them", title)


def few(page):
    """Lets a page get fewer pictures at once than it asks for."""

    def ask(route):
        url, _, _ = route.request.url.rpartition("limit=")
        route.continue_(url=f"{url}limit=15")

    page.route("**/items?*", ask)


def click_twice(page):
    page.wait_for_selector("#more:enabled")
    page.evaluate("[1, 2].map(() => document.querySelector('#more').click())")


def test_two_quick_clicks_show_each_picture_once(page):
    few(page)
    page.click("text=Browse")
    wait_for(page, "38 pictures")
    click_twice(page)
    page.wait_for_selector(".grid li:nth-child(30)")
    click_twice(page)
    page.wait_for_selector(".grid li:nth-child(38)")
    assert page.is_hidden("#more")
    titles = [
        name.get_attribute("title") for name in page.locator(".name").all()
    ]
    assert len(titles) == len(set(titles)) == 38


def test_more_can_be_asked_for_again_when_it_failed(page):
    few(page)
    page.click("text=Browse")
    page.wait_for_selector("#more:enabled")
    page.route("**/items?*", lambda route: route.abort())
    page.focus("#more")
    page.keyboard.press("Enter")
    wait_for(page, "does not answer")
    page.unroute("**/items?*")
    few(page)
    # The focus is where it was.
    page.keyboard.press("Enter")
    page.wait_for_selector(".grid li:nth-child(16)")


def test_a_file_that_has_gone_is_grey(page):
    page.click("text=Browse")
    wait_for(page, "38 pictures")
    gone = page.locator("li:has-text('gone.png')")
    gone.scroll_into_view_if_needed()
    gone.locator(".gone").wait_for()
    assert gone.locator("img").count() == 0


def test_by_keyboard(page, picture, tmp_path):
    (tmp_path / "photo.png").write_bytes(picture("reds"))
    # Before any key, for the browser needs a moment to hand it over.
    seen, choosers = [], []
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    for _ in range(4):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id"))
    assert seen[3] == "file"
    page.keyboard.press("Enter")
    for _ in range(100):
        if choosers:
            break
        page.wait_for_timeout(100)
    choosers[0].set_files(tmp_path / "photo.png")
    wait_for(page, "found in")
    page.locator(".picture").first.focus()
    page.keyboard.press("Enter")
    wait_for(page, "like this one")


@pytest.mark.parametrize("width", [360, 768])
def test_it_fits_a_narrow_screen(page, picture, width):
    page.set_viewport_size({"width": width, "height": 700})
    drop(page, picture("greens"))
    wait_for(page, "found in")
    for view in ("", "Browse", "Duplicates"):
        if view:
            page.click(f"text={view}")
            page.wait_for_selector(".grid li")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width


def test_an_index_of_codes_alone(browser, client_of, codes_only):
    page = browser.new_page()
    page.goto(str(client_of(codes_only).base_url))
    page.wait_for_selector("#asked:has-text('has no encoder')")
    assert page.is_disabled("#file")
    page.click("text=Browse")
    page.wait_for_selector(".grid li")
    names = page.locator(".grid .name")
    assert names.all_inner_texts() == ["none", "passwd", "passwd"]
    assert names.nth(1).get_attribute("title") == os.path.join(
        *("..", "..", "etc", "passwd")
    )
    page.locator(".like").first.click()
    wait_for(page, "like this one")
    page.close()
