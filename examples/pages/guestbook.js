// A list without an end, almost: twenty entries more whenever the reader comes near its foot.
const names = ['Ada', 'Bruno', 'Chiara', 'Dmitri', 'Elif', 'Farid', 'Greta', 'Hana', 'Ivo', 'Juno', 'Kofi', 'Lena', 'Mateo'];
const words = [
  'The laid paper takes ink like no other.', 'I came for an envelope and stayed for an hour.',
  'Please stock the green marbled sheet again.', 'My daughter folds cranes from nothing else now.',
  'The ledger has outlived two of my offices.', 'Found you by the smell from the street.',
  'The scrap bag is the best thing you sell.',
];
const total = 130;
const page = 20;

const list = document.getElementById('entries');
const status = document.getElementById('status');
let shown = 0;
let loading = false;

function entry(number) {
  const item = document.createElement('li');
  item.className = 'entry';
  const who = document.createElement('b');
  who.textContent = `No. ${total - number} · ${names[number % names.length]}`;
  item.append(who, words[(number * 5) % words.length]);
  return item;
}

function more() {
  if (loading || shown >= total) return;
  loading = true;
  setTimeout(() => {
    for (let left = Math.min(page, total - shown); left > 0; left -= 1) list.append(entry(shown++));
    loading = false;
    status.textContent = shown < total ? 'Loading …' : 'That is where the book begins.';
  }, 120);
}

addEventListener('scroll', () => {
  if (innerHeight + scrollY > document.documentElement.scrollHeight - 300) more();
}, {passive: true});
more();
