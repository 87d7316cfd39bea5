// The component of version 1's README: only type arguments and the ref's initial value are added.
import React, { useEffect, useState, useRef } from 'react';
import { Client } from 'server-state-sync';

interface Chat { chatMessages: { content: string }[] }

export const ChatWidget = () => {
  const [ messages, setMessages ] = useState<Chat['chatMessages']>([]);
  const clientRef = useRef<Client<Chat>>(null!);
  useEffect(() => {
    const client = new Client<Chat>('ws://localhost:5000', 'userIdentifier', 'accessToken');
    client.onConnection().then(() => {
      client.connectToState('myGroupChat').then((state) => {
        // when connectToState is done, the entire backend state is fetched, meaning you can initialize your react state from that.
        setMessages(state.chatMessages);
        // Listen for new chatMessages
        client.addStateUpdateListener('client', (updates) => {
          setMessages(updates.chatMessages);
        }, ['chatMessages']);
      });
    });
    clientRef.current = client;
  }, []);
  const onSendMessage = () => {
    clientRef.current.updateState({
      chatMessages: [
        ...messages,
        { content: 'This is a new message' }
      ]
    })
  }
  return (
    <div>
      {messages.map(message => (
        <div>
          {message.content}
        </div>
      ))}
      <button onClick={onSendMessage}>Send Message</button>
    </div>
  );
}
export default React.memo(ChatWidget);
