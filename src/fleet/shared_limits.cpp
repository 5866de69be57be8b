#include <rotary/fleet/shared_limits.hpp>

#include "fleet/lease_key.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace rotary::fleet {

namespace {

using std::chrono::milliseconds;

// Of windows that end with the clock: keys are renewed with each question, long before.
constexpr milliseconds kLongestKept = std::chrono::hours(24 * 400);

std::int64_t ms_of(WallTime time) noexcept {
    return std::chrono::floor<milliseconds>(time.time_since_epoch()).count();
}

milliseconds between(WallTime from, WallTime to) noexcept {
    if (to <= from) return milliseconds(0);
    if (from < WallTime() && to > WallTime::max() + from.time_since_epoch()) return kLongestKept;
    return std::min(std::chrono::ceil<milliseconds>(to - from), kLongestKept);
}

}  // namespace

SharedLimits::SharedLimits(Store& store, std::shared_ptr<Timers> timers,
                           quota::CounterTable& counters, Options options)
    : store_(store),
      timers_(std::move(timers)),
      desk_(counters.leases()),
      options_(std::move(options)) {
    desk_.set_away(!store_.is_ready());
    counters.share(options_.bell);
    store_.listen(*this);
}

// What a worker hands in from here on stays at the desk, and holds its counter.
SharedLimits::~SharedLimits() {
    desk_.close();
    store_.unlisten(*this);
    *alive_ = false;
    look();
    std::vector<quota::Lease*> ours;
    for (const auto& [lease, book] : books_) {
        if (book.is_asked || lease->seize()) ours.push_back(lease);
    }
    for (quota::Lease* lease : ours) forget(*lease);
}

void SharedLimits::queue(const Queued& queued) {
    books_.at(queued.lease).is_asked = true;
    queue_.push_back(queued);
}

void SharedLimits::later(std::chrono::milliseconds delay, void (SharedLimits::*work)()) {
    timers_->after(delay, [this, alive = alive_, work] {
        if (*alive) (this->*work)();
    });
}

bool SharedLimits::may_ask() const noexcept {
    return store_.is_ready() && timers_->now() >= paused_until_;
}

void SharedLimits::wake() {
    if (wake_ && desk_.is_waited_for()) wake_();
}

void SharedLimits::count_replicas() {
    desk_.set_replicas(static_cast<std::uint32_t>(options_.replicas()));
}

void SharedLimits::on_ready() {
    paused_until_ = {};
    desk_.set_away(false);
    // What was used meanwhile is told first, before anything of the rest is granted anew.
    for (Queued& queued : queue_) queued.asks = false;
    for (auto& [lease, book] : books_) {
        if (lease->seize()) queue({lease, false, false});
    }
    pump();
    wake();
}

void SharedLimits::on_lost() {
    is_refused_ = false;
    desk_.set_away(true);
    wake();
}

SharedLimits::Book& SharedLimits::book_of(quota::Lease& lease) {
    const auto [place, is_new] = books_.try_emplace(&lease);
    Book& book = place->second;
    if (is_new) {
        const SteadyTime now = timers_->now();
        book.key = lease_key(options_.prefix, lease.name());
        book.measured_at = now - kRecent;
        book.asked_at = book.used_at = now;
        book.terms = lease.wanted().terms;
    }
    if (!ticks_) {
        ticks_ = true;
        later(kStale, &SharedLimits::each_second);
    }
    return book;
}

void SharedLimits::look() {
    bool is_any_known = false;
    std::vector<quota::Lease*> due;
    for (quota::Lease* lease = desk_.take_due(); lease != nullptr;
         lease = quota::LeaseDesk::next(*lease)) {
        due.push_back(lease);
    }
    for (auto lease = due.rbegin(); lease != due.rend(); ++lease) {
        if (is_known(**lease)) {
            is_any_known = true;
            (*lease)->answered();
            continue;
        }
        open_window(book_of(**lease), (*lease)->wanted().terms);
        queue({*lease, (*lease)->wanted().asks_for_more, false});
    }
    if (!*alive_) return;
    pump();
    if (is_any_known) wake();  // a request that wanted more meanwhile was not heard
}

// It is only looked at, and what is left was asked a moment ago.
bool SharedLimits::is_known(quota::Lease& lease) const {
    const quota::Lease::Wanted& wanted = lease.wanted();
    const auto book = books_.find(&lease);
    return !wanted.asks_for_more && book != books_.end() &&
           book->second.terms.window.begin == wanted.terms.window.begin &&
           timers_->now() - book->second.asked_at < kLooked;
}

void SharedLimits::open_window(Book& book, const quota::LeaseTerms& terms) const {
    const bool is_same = book.terms.window.begin == terms.window.begin;
    book.terms = terms;
    if (is_same) return;
    book.told = book.used = 0;
    // What was used of the window before was used of late, too.
    const auto since = std::chrono::duration_cast<milliseconds>(timers_->now() - book.measured_at);
    if (since >= 2 * kRecent) book.recent = 0;
    book.measured = 0;
    book.measured_at = std::max(book.measured_at, timers_->now() - kRecent);
}

// While the store was away windows were opened that it has not heard of.
void SharedLimits::follow(const quota::Lease& lease, Book& book) const {
    const WallTime latest = lease.latest();
    if (latest <= book.terms.window.begin) return;
    quota::LeaseTerms terms = book.terms;
    terms.window = {latest, latest + terms.window.length()};
    open_window(book, terms);
}

// What was used in the last half second. Between two that are as far apart it goes over from the
// older measure to the newer.
std::int64_t SharedLimits::measure(quota::Lease& lease, Book& book) const {
    const SteadyTime now = timers_->now();
    const std::int64_t used = lease.used(book.terms.window.begin);
    const std::int64_t more = std::max<std::int64_t>(used - book.measured, 0);
    const auto since = std::chrono::duration<double>(now - book.measured_at).count();
    constexpr double kWhole = std::chrono::duration<double>(kRecent).count();
    if (since < kWhole) {
        const double old = static_cast<double>(book.recent) * (kWhole - since) / kWhole;
        return more + static_cast<std::int64_t>(old);
    }
    book.recent = static_cast<std::int64_t>(static_cast<double>(more) * kWhole / since + 0.5);
    book.measured = used;
    book.measured_at = now;
    return book.recent;
}

LeaseQuestion SharedLimits::question_of(const Queued& queued, Asked& asked) {
    quota::Lease& lease = *queued.lease;
    Book& book = book_of(lease);
    follow(lease, book);
    const quota::LeaseTerms& terms = book.terms;
    const WallTime begin = terms.window.begin;
    const std::int64_t used = lease.used(begin);
    const quota::Lease::View view = lease.view(begin);
    const std::int64_t held = std::max(view.granted, used);
    book.asked_at = timers_->now();
    book.told = used;
    asked = {&lease, held, begin};

    LeaseQuestion question;
    question.key = book.key;
    const bool has_journal = terms.is_money && !options_.journal.empty();
    question.field = "r:" + (has_journal ? options_.journal : options_.replica);
    question.begin_ms = ms_of(begin);
    question.length_ms = between(begin, terms.window.end).count();
    question.left_ms = between(timers_->wall_now(), terms.window.end).count();
    question.amount = terms.amount;
    question.held = held;
    if (view.heard && !terms.sliding)
        question.heard = std::max<std::int64_t>(0, terms.amount - view.rest);
    question.recent = measure(lease, book);
    question.need = queued.asks ? lease.wanted().need : 0;
    question.asks = queued.asks;
    question.gives_back = queued.gives_back;
    question.slides = terms.sliding;
    question.carries_debt = terms.carry_debt;
    return question;
}

void SharedLimits::pump() {
    // What is queued waits for better times: none of its requests does.
    if (queue_.empty() || pumps_later_ || !may_ask()) return;
    const SteadyTime now = timers_->now();
    if (now >= next_send_) send();
    if (queue_.empty()) return;
    pumps_later_ = true;
    later(std::chrono::ceil<milliseconds>(next_send_ - now), &SharedLimits::pump_late);
}

void SharedLimits::pump_late() {
    pumps_later_ = false;
    pump();
}

void SharedLimits::send() {
    std::vector<LeaseQuestion> questions;
    std::vector<Asked> asked;
    while (!queue_.empty() && questions.size() < kMostAtOnce) {
        asked.emplace_back();
        questions.push_back(question_of(queue_.front(), asked.back()));
        queue_.pop_front();
    }
    next_send_ = timers_->now() + kPace;
    ++counts_.questions;
    counts_.leases += questions.size();
    count_replicas();
    store_.run(lease_script(), lease_keys(questions), lease_arguments(questions, desk_.replicas()),
               [this, alive = alive_, asked = std::move(asked)](const Reply& reply) {
                   if (*alive) answered(asked, reply);
               });
}

void SharedLimits::answered(const std::vector<Asked>& asked, const Reply& reply) {
    const auto answers = lease_answers(reply, asked.size());
    if (!answers) {
        ++counts_.unanswered;
        // Before its deadline: the store refuses, and would refuse the next one too.
        const auto waited = timers_->now() - books_.at(asked.front().lease).asked_at;
        if (reply.kind != Reply::Kind::none || waited < desk_.patience()) {
            pause();
        }
    } else if (std::exchange(is_refused_, false) && options_.log != nullptr) {
        options_.log->info("limits are shared again");
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (answers) take_over(asked[i], (*answers)[i]);
        books_.at(asked[i].lease).is_asked = false;
        asked[i].lease->answered();
        if (answers) tell_debt(asked[i]);
    }
    pump();
    wake();
}

// What was used beyond while the question was under way: no worker could hand it in.
void SharedLimits::tell_debt(const Asked& asked) {
    const std::int64_t used = asked.lease->used(asked.window);
    const bool is_untold = used > asked.held && used > asked.lease->view(asked.window).granted;
    if (is_untold && asked.lease->seize()) queue({asked.lease, false, false});
}

void SharedLimits::pause() {
    paused_until_ = timers_->now() + kErrorPause;
    desk_.set_away(true);
    later(kErrorPause, &SharedLimits::end_pause);
    // One that is away has said so itself.
    if (!store_.is_ready() || std::exchange(is_refused_, true) || options_.log == nullptr) return;
    options_.log->warn("limits go on in parts: Redis is there and gives no leases");
}

void SharedLimits::end_pause() {
    if (!may_ask()) return;
    desk_.set_away(false);
    pump();
    wake();
}

void SharedLimits::take_over(const Asked& asked, const LeaseAnswer& answer) {
    const Book& book = books_.at(asked.lease);
    const WallTime now = timers_->wall_now();
    const WallTime end = book.terms.window.end;
    const auto in = [&](milliseconds wait) { return end - now < wait ? end : now + wait; };
    quota::Lease::Grant grant;
    grant.granted = answer.granted;
    grant.rest = answer.rest;
    // A grant that is smaller than a quarter of the use would be low at once.
    grant.low = std::min(book.recent, answer.granted - asked.held) / 4;
    grant.free_at = now + milliseconds(answer.free_ms);
    grant.ask_again = in(kRefused);
    if (book.terms.sliding && answer.rest < 1) {
        grant.ask_again = std::min(grant.ask_again, grant.free_at);
    }
    asked.lease->grant(asked.window, grant);
}

void SharedLimits::each_second() {
    std::vector<quota::Lease*> idle;
    for (auto& [lease, book] : books_) look_after(*lease, book, idle);
    for (quota::Lease* lease : idle) forget(*lease);
    pump();
    ticks_ = !books_.empty();
    if (ticks_) later(kStale, &SharedLimits::each_second);
}

// Those that are due are the workers' and the question's business.
void SharedLimits::look_after(quota::Lease& lease, Book& book, std::vector<quota::Lease*>& idle) {
    const SteadyTime now = timers_->now();
    const WallTime begin = book.terms.window.begin;
    const std::int64_t used = lease.used(begin);
    if (used != std::exchange(book.used, used)) book.used_at = now;
    const bool is_over = timers_->wall_now() >= book.terms.window.end;
    const bool is_idle = now - book.used_at >= kIdle;
    const quota::Lease::View view = lease.view(begin);
    const bool tells = !is_over && used != book.told && now - book.asked_at >= kStale;
    const bool gives_back = !is_over && is_idle && view.granted > used;
    const bool is_done = is_over ? is_idle : now - book.used_at >= kForgotten;
    if (!(may_ask() && (tells || gives_back)) && !is_done) return;
    if (!lease.seize()) return;
    if (is_done && !gives_back) {
        idle.push_back(&lease);
        return;
    }
    if (gives_back) {
        lease.lower(used);
        ++counts_.given_back;
    }
    queue({&lease, false, gives_back});
}

// It is seized, or no worker is left. With its counter it may be gone right after.
void SharedLimits::forget(quota::Lease& lease) {
    books_.erase(&lease);
    const quota::Lease::Hold hold = lease.let_go();
    lease.answered();
}

}  // namespace rotary::fleet
