// Fills in a form as a person would, sends it and waits for the answer.
//   any run examples/scripts/form_fill.js --open URL --args examples/scripts/form_fill.json
//
// args: fields  name of a field → its value (true/false for a check box, a list for several choices)
//       form    selector of the form (default: the first one)
//       done    selector of what appears once the form has been taken; its text is the result
//       send    false: fill in only (default: true)

const {fields = {}, form: selector = 'form', done = null, send = true} = args ?? {};
const form = await any.waitFor(selector);

/** The value is set as the browser itself does it, so that frameworks which watch the property notice. */
function setNative(element, property, value) {
  const owner = Object.getPrototypeOf(element);
  Object.getOwnPropertyDescriptor(owner, property).set.call(element, value);
}

function fill(name, value) {
  const found = form.elements.namedItem(name);
  if (!found) {
    const names = [...new Set([...form.elements].map(element => element.name).filter(Boolean))];
    throw new Error(`the form has no field "${name}"; it has ${names.join(', ')}`);
  }
  for (const element of found instanceof RadioNodeList ? found : [found]) {
    if (element.type === 'radio' || element.type === 'checkbox') {
      const wanted = typeof value === 'boolean' ? value : [value].flat().map(String).includes(element.value);
      if (element.checked !== wanted) element.click();
      continue;
    }
    element.focus();
    if (element instanceof HTMLSelectElement) {
      const option = [...element.options].find(one => one.value === String(value) || one.text.trim() === String(value));
      if (!option) throw new Error(`"${name}" has no choice ${JSON.stringify(value)}`);
      setNative(element, 'value', option.value);
    } else {
      setNative(element, 'value', String(value));
    }
    element.dispatchEvent(new Event('input', {bubbles: true}));
    element.dispatchEvent(new Event('change', {bubbles: true}));
    element.blur();
  }
}

for (const [name, value] of Object.entries(fields)) {
  fill(name, value);
  any.progress({filled: name});
}

const wrong = [...form.elements].filter(element => element.willValidate && !element.checkValidity());
if (wrong.length > 0) {
  throw new Error('the form would not be taken: '
    + wrong.map(element => `${element.name}: ${element.validationMessage}`).join('; '));
}
const values = {};
for (const [name, value] of new FormData(form)) {
  if (typeof value !== 'string') continue;  // a file
  values[name] = name in values ? [values[name], value].flat() : value;
}
if (!send) return {sent: false, values};

form.requestSubmit();
const answer = done ? (await any.waitFor(done)).textContent.trim().replace(/\s+/g, ' ') : null;
return {sent: true, values, answer};
