// What all pages share: what they hold, their address, and small controls.

function parsed(id) {
  const place = document.getElementById(id);
  return place && JSON.parse(place.textContent);
}

/** Makes a page that lies in the explorer as high as its content, where that asks for it. */
function fitInto(frame) {
  if (!frame?.hasAttribute("data-fit")) return;
  const fit = () => {
    frame.style.height = `${document.documentElement.scrollHeight}px`;
  };
  new ResizeObserver(fit).observe(document.body);
  fit();
}

/** Returns the state that the address holds, for names that `defaults` has and values of its kinds;
a default of null stands for a number. */
function fromAddress(defaults) {
  const state = { ...defaults };
  for (const [name, text] of new URLSearchParams(addressed().location.hash.slice(1))) {
    if (!(name in defaults)) continue;
    if (typeof defaults[name] === "string") state[name] = text;
    else if (/^-?\d+$/.test(text)) state[name] = Number(text);
  }
  return state;
}

/** Puts what differs from the defaults into the address, and leaves what other pages put there. */
function toAddress(state, defaults) {
  const there = addressed();
  const hash = new URLSearchParams(there.location.hash.slice(1));
  for (const [name, value] of Object.entries(state)) {
    if (value === null || value === defaults[name]) hash.delete(name);
    else hash.set(name, value);
  }
  const { pathname, search } = there.location;
  const text = hash.toString();
  there.history.replaceState(there.history.state, "", `${pathname}${search}${text && "#"}${text}`);
}

/** Returns the window whose address holds the state: that of the explorer around this page. */
function addressed() {
  try {
    return window.parent.location.origin === window.location.origin ? window.parent : window;
  } catch {
    return window;
  }
}

function input(type, attributes) {
  const made = document.createElement("input");
  made.type = type;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function button(id, text, title, onClick) {
  const made = document.createElement("button");
  Object.assign(made, { id, textContent: text, title, type: "button" });
  made.setAttribute("aria-label", title);
  made.addEventListener("click", onClick);
  return made;
}

function labelled(text, control, hidden = false) {
  const made = document.createElement("label");
  if (hidden) control.setAttribute("aria-label", text);
  else made.append(`${text} `);
  made.append(control);
  return made;
}

function options(id, names, value) {
  const made = document.createElement("select");
  made.id = `choose-${id}`;
  for (const [key, text] of Object.entries(names)) made.add(new Option(text, key));
  made.value = value;
  return made;
}

/** Fills a table with texts. */
function fillTable(table, header, rows) {
  const row = (cells, kind) => {
    const made = document.createElement("tr");
    for (const text of cells) {
      const cell = document.createElement(kind);
      cell.textContent = text;
      made.append(cell);
    }
    return made;
  };
  const head = document.createElement("thead");
  const body = document.createElement("tbody");
  head.append(row(header, "th"));
  body.append(...rows.map((cells) => row(cells, "td")));
  table.replaceChildren(head, body);
}
