import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Home } from './screens/home/Home.tsx';
import './styles.css';

const element = document.getElementById('root');
if (element === null) throw new Error('index.html has no element with the id "root"');
createRoot(element).render(
  <StrictMode>
    <Home />
  </StrictMode>,
);
