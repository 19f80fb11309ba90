// Making and changing elements. What comes from the server is only ever set as text.

export const byId = (id) => document.getElementById(id);

/** element("td", { className: "text" }, "a", otherElement) */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Leaves the text alone when it is the same, so that screen readers and selections are left alone too. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
