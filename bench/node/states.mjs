// What both hubs for Node.js have: the states of the setup, which is the JSON that the servers in Go read.
export const setup = JSON.parse(process.argv[2]);

function messages(n) {
  return Array.from({ length: n }, (_, id) => ({ id, author: 'ann', text: 'm'.repeat(60) }));
}

export const states = new Map();
for (let i = 0; i < setup.states; i++) {
  states.set(`s${i}`, { text: 't'.repeat(setup.bytes), messages: messages(setup.messages), count: 0 });
}

// listen prints the address first, as the servers in Go do.
export function listen(server) {
  server.listen(0, '127.0.0.1', 4096, () => console.log(`127.0.0.1:${server.address().port}`));
}
