// The README's chat without React: the same elements. The page's address names the server and the state.
export async function chat(Client, options) {
  const asked = new URLSearchParams(location.search);
  const client = new Client(asked.get('endpoint'), 'page', null, options);
  const make = (name) => document.body.appendChild(document.createElement(name));
  const add = make('button'), messages = make('div'), text = make('input'), send = make('button');
  send.textContent = 'Send';
  add.onclick = () => client.increment('counter');
  send.onclick = () => {
    client.append('messages', text.value);
    text.value = '';
  };
  const show = () => {
    const state = client.getState();
    add.textContent = `clicked ${state.counter} times`;
    messages.replaceChildren(...state.messages.map((message) => {
      const line = document.createElement('p');
      line.textContent = message;
      return line;
    }));
  };
  client.onError((error) => console.error(String(error)));
  client.subscribe(show);
  await client.connectToState(asked.get('state'));
  show();
  return client;
}
