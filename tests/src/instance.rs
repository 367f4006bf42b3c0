//! A second instance beside the rig's host: hands of its own over the same Azure, store and queue, which can be stopped at one of its
//! calls as a process is stopped from outside, and let go on. It never knows that it was stopped: nothing of it runs meanwhile, and
//! its clocks have moved on when it goes on.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use jiff::SignedDuration;
use lifeboat_azure::blobs::Store;
use lifeboat_execution::clock::Clock;
use lifeboat_execution::{Answer, Connections, Event, Lifeboat, NotDone};
use tokio::task::JoinHandle;

use crate::Rig;
use crate::identity::Identity;
use crate::rig::handlers::{places, settings};
use crate::tap::Wire;

/// Dice that no handler of the rig's host throws.
const DICE: u64 = 0x00b0_a7b0;

/// Where an instance is stopped at one of its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Right before the request leaves: all checks are passed, its latest moment too.
    Transport,
    /// When the answer is there, before it is read: what comes next rests on it.
    Answer,
}

/// The instance.
pub struct Instance {
    lifeboat: Arc<Lifeboat>,
    stopper: Stopper,
    /// Every call that it made and that left.
    pub wire: Wire,
}

impl Instance {
    /// An instance over what a rig's host works on.
    pub fn beside(rig: &Rig) -> Self {
        Self::made(rig, SignedDuration::ZERO, |transport| transport)
    }

    /// The same, over a transport of its own above theirs.
    pub fn through(rig: &Rig, own: impl FnOnce(Arc<dyn HttpClient>) -> Arc<dyn HttpClient>) -> Self {
        Self::made(rig, SignedDuration::ZERO, own)
    }

    /// The same, with a clock that is so much ahead of Azure's.
    pub fn ahead(rig: &Rig, by: SignedDuration) -> Self {
        Self::made(rig, by, |transport| transport)
    }

    fn made(rig: &Rig, ahead: SignedDuration, own: impl FnOnce(Arc<dyn HttpClient>) -> Arc<dyn HttpClient>) -> Self {
        let wire = Wire::new(rig.clock.clone());
        let stopper = Stopper::default();
        let inner: Arc<dyn HttpClient> = wire.tap(own(rig.azure.transport(&rig.blobs, &rig.bus)));
        let transport = stopper.transport(inner);
        let lifeboat = Arc::new(hands(transport, rig, ahead));
        Self { lifeboat, stopper, wire }
    }

    /// The store, as it has it.
    pub fn store(&self) -> &Store {
        &self.lifeboat.store
    }

    /// It stops at the call with this number, from 0.
    pub fn stops_at(&self, number: usize, place: Place) {
        let mut begun = 0;
        let is_it = move |_: &Request| {
            begun += 1;
            begun - 1 == number
        };
        self.stopper.stops_where(place, Box::new(is_it));
    }

    /// Takes care of an event.
    pub fn handle(&self, event: Event) -> JoinHandle<Result<Answer, NotDone>> {
        let lifeboat = Arc::clone(&self.lifeboat);
        let work = Box::pin(async move { lifeboat.handle(event).await });
        tokio::spawn(self.stopper.over(work))
    }

    /// Whether it is stopped.
    pub fn is_stopped(&self) -> bool {
        self.stopper.is_stopped()
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.stopper.go_on();
    }
}

/// The real clients over a transport, with nothing shared with another instance's.
fn hands(transport: Arc<dyn HttpClient>, rig: &Rig, ahead: SignedDuration) -> Lifeboat {
    let credential = Identity::new(Arc::clone(&transport), rig.azure.identity_header());
    let clock = Clock::starting_at(rig.clock.now().checked_add(ahead).expect("a time"));
    let connections = Connections::new(transport, credential, clock, DICE);
    Lifeboat::connect(connections, &places(), settings()).expect("the places are places")
}

/// Whether a call is the one at which an instance stops.
pub type IsIt = Box<dyn FnMut(&Request) -> bool + Send>;

/// Whether an instance is stopped, and when it will be. Clones are the same one.
#[derive(Clone, Default)]
pub struct Stopper(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    at: Option<(Place, IsIt)>,
    /// How long it then stays stopped; for ever where that is not said.
    lasts: Option<Duration>,
    stopped: bool,
    wakers: Vec<Waker>,
}

impl Stopper {
    /// It stops at the first call of which this holds, once.
    pub fn stops_where(&self, place: Place, is_it: IsIt) {
        self.state().at = Some((place, is_it));
    }

    /// The same, for so long and no longer.
    pub fn stops_for(&self, lasts: Duration, place: Place, is_it: IsIt) {
        self.stops_where(place, is_it);
        self.state().lasts = Some(lasts);
    }

    /// It does not stop any more where that was asked and has not happened yet.
    pub fn stops_nowhere(&self) {
        self.state().at = None;
    }

    /// Whether it is stopped.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        let wakers = {
            let mut state = self.state();
            state.stopped = false;
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Work of which nothing runs while it is stopped.
    pub fn over<T>(&self, work: Pin<Box<dyn Future<Output = T> + Send>>) -> impl Future<Output = T> + Send + use<T> {
        Stoppable { work, stopper: self.clone() }
    }

    /// A transport that stops over another one.
    pub fn transport(&self, inner: Arc<dyn HttpClient>) -> Arc<dyn HttpClient> {
        Arc::new(Stopping { inner, stopper: self.clone() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pending while it is stopped; whoever asked is woken when it goes on.
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if !state.stopped {
            return Poll::Ready(());
        }
        state.wakers.push(cx.waker().clone());
        Poll::Pending
    }

    /// Where it is to stop at this call, if it is the one.
    fn place_of(&self, request: &Request) -> Option<Place> {
        let mut state = self.state();
        let (place, is_it) = state.at.as_mut()?;
        let (place, is_it) = (*place, is_it(request));
        if is_it {
            state.at = None;
        }
        is_it.then_some(place)
    }

    async fn stop(&self) {
        let lasts = {
            let mut state = self.state();
            state.stopped = true;
            state.lasts.take()
        };
        if let Some(lasts) = lasts {
            let stopper = self.clone();
            tokio::spawn(async move {
                // Virtual time: nobody waits for it.
                tokio::time::sleep(lasts).await;
                stopper.go_on();
            });
        }
        poll_fn(|cx| self.poll(cx)).await;
    }
}

/// Work of which nothing runs while it is stopped: no timer, no other call.
struct Stoppable<T> {
    work: Pin<Box<dyn Future<Output = T> + Send>>,
    stopper: Stopper,
}

impl<T> Future for Stoppable<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if self.stopper.poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.work.as_mut().poll(cx)
    }
}

/// The transport that stops.
struct Stopping {
    inner: Arc<dyn HttpClient>,
    stopper: Stopper,
}

#[async_trait]
impl HttpClient for Stopping {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let place = self.stopper.place_of(request);
        if place == Some(Place::Transport) {
            self.stopper.stop().await;
        }
        let answer = self.inner.execute_request(request).await;
        if place == Some(Place::Answer) {
            self.stopper.stop().await;
        }
        answer
    }
}

impl fmt::Debug for Stopping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopping").finish_non_exhaustive()
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper").field("stopped", &self.is_stopped()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("stopped", &self.is_stopped()).finish_non_exhaustive()
    }
}
