// Takes the order, as slowly as a counter does.
const form = document.getElementById('order');
const thanks = document.getElementById('thanks');

form.addEventListener('submit', event => {
  event.preventDefault();
  const order = new FormData(form);
  form.querySelector('button').disabled = true;
  setTimeout(() => {
    const paper = form.elements.paper.selectedOptions[0].text;
    const extras = order.getAll('extras');
    thanks.textContent = `Thank you, ${order.get('name')}: ${order.get('sheets')} sheets (${paper}`
      + `${extras.length ? `, with ${extras.join(' and ')}` : ''}), `
      + (order.get('delivery') === 'pickup' ? 'ready at the counter tomorrow.' : 'on their way by bicycle.');
    thanks.hidden = false;
    form.hidden = true;
  }, 300);
});
