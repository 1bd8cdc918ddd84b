// Renews what is marked `data-live` (seconds) from this page's own address, while somebody looks at it.
"use strict"

const open = (part) => [...part.querySelectorAll("details[open]")].map((each) => each.querySelector("summary").innerText)

const busy = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")

// Gives each cell the name of its column, with which the sheet shows a row as a block where the window is narrow, and says
// what is a table's: browsers forget that of what is laid out as blocks.
function label(page) {
  const roles = { table: "table", "thead, tbody": "rowgroup", tr: "row", td: "cell", "thead th": "columnheader", "tbody th": "rowheader" }
  for (const table of page.querySelectorAll(".wide table")) {
    const heads = [...table.querySelectorAll("thead th")].map((each) => (each.querySelector(".unseen") ? "" : each.textContent))
    for (const cell of table.querySelectorAll("tbody td, tbody th")) {
      cell.dataset.column = heads[cell.cellIndex]
      cell.classList.toggle("nothing", !cell.textContent.trim() && !cell.firstElementChild)
    }
    for (const [which, role] of Object.entries(roles)) {
      for (const each of table.parentElement.querySelectorAll(which)) each.setAttribute("role", role)
    }
    table.classList.add("named")
  }
}

async function renew(part) {
  if (document.hidden || busy(part)) return part
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "manual" })
  if (!answer.ok) throw new Error("it is not answered, or nobody is signed in any more")
  const page = new DOMParser().parseFromString(await answer.text(), "text/html")
  label(page)
  const fresh = page.getElementById(part.id)
  if (!fresh || busy(part) || fresh.innerHTML === part.innerHTML) return part
  const shown = open(part)
  const focused = part.contains(document.activeElement) ? document.activeElement : null
  const name = focused && (focused.getAttribute("aria-label") || focused.getAttribute("href"))
  const at = [...part.querySelectorAll(".wide, pre")].map((each) => each.scrollLeft)
  part.replaceWith(fresh)
  for (const each of fresh.querySelectorAll("details")) each.open = shown.includes(each.querySelector("summary").innerText)
  fresh.querySelectorAll(".wide, pre").forEach((each, number) => { each.scrollLeft = at[number] || 0 })
  if (name) [...fresh.querySelectorAll("a, button, [tabindex]")].find((each) => [each.getAttribute("aria-label"), each.getAttribute("href")].includes(name))?.focus()
  return fresh
}

const old = document.getElementById("old")

async function watch(part) {
  while (part && part.dataset.live) {
    await new Promise((wake) => setTimeout(wake, 1000 * part.dataset.live))
    try {
      part = await renew(part)
      old.hidden = true
    } catch {
      old.hidden = false
    }
  }
}

// A text that somebody typed is sent only while the session lasts: the page that says why not would not have it any more.
document.addEventListener("submit", async (sent) => {
  const form = sent.target
  if (form.dataset.sure || !form.querySelector("textarea")) return
  sent.preventDefault()
  const unsent = document.getElementById("unsent")
  try {
    const answer = await fetch("/runs?limit=1", { headers: { accept: "text/html" }, redirect: "manual" })
    if (!answer.ok) throw new Error("nobody is signed in any more")
    form.dataset.sure = "yes"
    form.requestSubmit(sent.submitter)
  } catch {
    unsent.hidden = false
  }
})

label(document)
watch(document.querySelector("[data-live]"))
