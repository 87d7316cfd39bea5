// Two clients, what they see of each other, and their end: for Node and the test runners. process.env names the server
// and the state.
export async function converge(clients) {
  for (const client of clients) await client.connectToState(process.env.STATESYNC_STATE);
  const base = clients[0].getState();
  const lines = base.messages.length + clients.length, counter = base.counter + clients.length;
  await Promise.all(clients.flatMap((client, i) => [client.append('messages', `from ${i}`), client.increment('counter')]));
  const there = (client) => client.getState().messages.length === lines && client.getState().counter === counter;
  for (const client of clients) {
    await new Promise((resolve) => {
      const check = () => { if (there(client)) resolve(); };
      client.subscribe(check);
      check();
    });
  }
  const [one, other] = clients.map((client) => JSON.stringify(client.getState()));
  if (one !== other) throw new Error(`they differ: ${one} and ${other}`);
  await Promise.all(clients.map((client) => client.close()));
}
