//! Virtual time: tasks that run one at a time, their timers, and clocks that run at different rates.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::Monotonic;

type Future = Pin<Box<dyn std::future::Future<Output = ()> + Send>>;

/// The machine of a task; `None`: the world, which nobody kills or pauses.
pub(super) type Owner = Option<usize>;

/// The time that is true for everybody, and what happens in it. A clone is the same time.
#[derive(Debug, Clone, Default)]
pub(super) struct Time(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    now: Duration,
    next_timer: u64,
    timers: BTreeMap<(Duration, u64), Waker>,
    spawned: Vec<(Owner, Future)>,
    killed: Vec<usize>,
    /// Until when each machine is paused.
    paused: BTreeMap<usize, Duration>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl Time {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn now(&self) -> Duration {
        self.state().now
    }

    pub(super) fn sleep(&self, duration: Duration) -> Sleep {
        Sleep {
            time: self.clone(),
            until: self.now() + duration,
            timer: None,
        }
    }

    pub(super) fn spawn(
        &self,
        owner: Owner,
        task: impl std::future::Future<Output = ()> + Send + 'static,
    ) {
        self.state().spawned.push((owner, Box::pin(task)));
    }

    /// Ends every task of a machine, wherever it is.
    pub(super) fn kill(&self, machine: usize) {
        let mut state = self.state();
        state.killed.push(machine);
        state.paused.remove(&machine);
        // What it started in this moment never begins.
        state.spawned.retain(|(owner, _)| *owner != Some(machine));
    }

    /// Runs no task of a machine for a while. Its clock goes on.
    pub(super) fn pause(&self, machine: usize, duration: Duration) {
        let mut state = self.state();
        let until = state.now + duration;
        state.paused.insert(machine, until);
    }

    /// Runs tasks until `is_over`, or until this time.
    pub(super) fn run(&self, end: Duration, is_over: impl Fn() -> bool) {
        let mut tasks: Vec<Task> = Vec::new();
        while !is_over() && self.now() < end {
            let mut has_run = false;
            for place in 0..tasks.len() {
                let task = &mut tasks[place];
                if task.is_done || self.is_paused(task.owner) || !task.wake.take() {
                    continue;
                }
                has_run = true;
                let waker = Waker::from(Arc::clone(&task.wake));
                let polled = task.future.as_mut().poll(&mut Context::from_waker(&waker));
                task.is_done = polled.is_ready();
                self.apply(&mut tasks);
            }
            self.apply(&mut tasks);
            let is_ready =
                |task: &Task| !task.is_done && !self.is_paused(task.owner) && task.wake.is_set();
            if !has_run && !tasks.iter().any(is_ready) && !self.advance() {
                return;
            }
        }
    }

    /// Carries out what the last task asked for.
    fn apply(&self, tasks: &mut Vec<Task>) {
        let (killed, spawned) = {
            let mut state = self.state();
            let killed = std::mem::take(&mut state.killed);
            (killed, std::mem::take(&mut state.spawned))
        };
        let is_killed = |task: &Task| task.owner.is_some_and(|owner| killed.contains(&owner));
        for task in tasks.iter_mut().filter(|task| is_killed(task)) {
            task.is_done = true;
            // The rest of the process goes with it: an operation in flight is dropped, as in a kill.
            task.future = Box::pin(std::future::pending());
        }
        tasks.extend(spawned.into_iter().map(Task::new));
    }

    fn is_paused(&self, owner: Owner) -> bool {
        let state = self.state();
        let until = owner.and_then(|machine| state.paused.get(&machine));
        until.is_some_and(|until| *until > state.now)
    }

    /// Goes on to the next timer or the end of a pause. Returns false if nothing will ever happen.
    fn advance(&self) -> bool {
        let woken: Vec<Waker> = {
            let mut state = self.state();
            let timer = state.timers.keys().next().map(|(at, _)| *at);
            let now = state.now;
            let pauses = state.paused.values().copied().filter(|until| *until > now);
            let Some(next) = timer.into_iter().chain(pauses).min() else {
                return false;
            };
            state.now = next.max(now);
            let later = state.timers.split_off(&(next, u64::MAX));
            std::mem::replace(&mut state.timers, later)
                .into_values()
                .collect()
        };
        woken.into_iter().for_each(Waker::wake);
        true
    }
}

struct Task {
    owner: Owner,
    future: Future,
    wake: Arc<Flag>,
    is_done: bool,
}

impl Task {
    fn new((owner, future): (Owner, Future)) -> Self {
        Self {
            owner,
            future,
            wake: Arc::new(Flag(AtomicBool::new(true))),
            is_done: false,
        }
    }
}

struct Flag(AtomicBool);

impl Flag {
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(super) struct Sleep {
    time: Time,
    until: Duration,
    timer: Option<u64>,
}

impl std::future::Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let until = self.until;
        let mut state = self.time.state();
        if state.now >= until {
            return Poll::Ready(());
        }
        let number = self.timer.unwrap_or(state.next_timer);
        state.next_timer += 1;
        state
            .timers
            .insert((until, number), context.waker().clone());
        drop(state);
        self.timer = Some(number);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.timer {
            self.time.state().timers.remove(&(self.until, number));
        }
    }
}

/// The clock of a machine, which advances by `rate` eighths of the true time.
#[derive(Debug)]
pub(super) struct SkewedClock {
    pub(super) time: Time,
    pub(super) rate: u32,
}

impl Monotonic for SkewedClock {
    fn now(&self) -> Duration {
        // Its start is as arbitrary as its rate.
        Duration::from_secs(1000) * self.rate + self.time.now() * self.rate / 8
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn std::future::Future<Output = ()> + Send>> {
        Box::pin(self.time.sleep(duration * 8 / self.rate))
    }
}
