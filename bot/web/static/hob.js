// Renews what is marked `data-live` (seconds) from this page's own address, while somebody looks at it.
"use strict"

const open = (part) => [...part.querySelectorAll("details[open]")].map((each) => each.querySelector("summary").innerText)

const busy = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")

async function renew(part) {
  if (document.hidden || busy(part)) return part
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "manual" })
  if (!answer.ok) throw new Error("it is not answered, or nobody is signed in any more")
  const page = new DOMParser().parseFromString(await answer.text(), "text/html")
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

watch(document.querySelector("[data-live]"))
