#include <rotary/fleet/shared_places.hpp>

#include <algorithm>
#include <utility>

namespace rotary::fleet {

namespace {

std::uint32_t count_of(std::int64_t number) noexcept {
    return static_cast<std::uint32_t>(std::max<std::int64_t>(number, 0));
}

// So that the questions of one that joins anew under the same name are later ones.
std::int64_t first_number(WallTime now) noexcept {
    return std::chrono::floor<std::chrono::microseconds>(now.time_since_epoch()).count();
}

}  // namespace

SharedPlaces::SharedPlaces(Store& store, std::shared_ptr<Timers> timers, routing::InFlight& table,
                           Options options)
    : store_(store),
      timers_(std::move(timers)),
      table_(table),
      shares_(table.share()),
      replicas_(std::move(options.replicas)) {
    asker_ = {std::move(options.prefix), std::move(options.replica), 1,
              first_number(timers_->wall_now())};
    shares_.set_away(!store_.is_ready());
    count_replicas();
    shares_.open(std::move(options.bell));
    store_.listen(*this);
    look();  // what was handed in as the one before went
}

SharedPlaces::~SharedPlaces() {
    shares_.close();
    store_.unlisten(*this);
    *alive_ = false;
    for (auto* share = shares_.take_due(); share != nullptr;) {
        routing::PlaceShare* const next = routing::PlaceShares::next(*share);
        share->answered();
        share = next;
    }
    say_goodbye();
    for (auto& [key, book] : books_) release(key, book);
}

// What is in flight at last is known to the others until it is taken for dead.
void SharedPlaces::say_goodbye() {
    std::vector<PlaceQuestion> questions;
    const auto say = [&] {
        ++asker_.number;
        store_.run(place_script(), place_keys(asker_, questions),
                   place_arguments(asker_, questions), [](const Reply&) {});
        questions.clear();
    };
    if (!store_.is_ready()) return;
    for (auto& [key, book] : books_) {
        PlaceQuestion question;
        question.key = key;
        question.most = book.most;
        question.held = table_.count(key);
        questions.push_back(question);
        if (questions.size() == kMostAtOnce) say();
    }
    if (!questions.empty()) say();
}

void SharedPlaces::release(std::uint64_t key, Book& book) {
    if (book.share->is_of(key)) book.share->forget();
    if (std::exchange(book.is_due, false)) book.share->answered();
}

void SharedPlaces::later(std::chrono::milliseconds delay, void (SharedPlaces::*work)()) {
    timers_->after(delay, [this, alive = alive_, work] {
        if (*alive) (this->*work)();
    });
}

bool SharedPlaces::may_ask() const noexcept {
    return store_.is_ready() && timers_->now() >= paused_until_;
}

void SharedPlaces::wake() {
    if (wake_) wake_();
}

void SharedPlaces::count_replicas() {
    shares_.set_replicas(static_cast<std::uint32_t>(replicas_()));
    asker_.replicas = shares_.replicas();
}

std::uint64_t SharedPlaces::granted() const noexcept {
    std::uint64_t all = 0;
    for (const auto& [key, book] : books_) all += book.granted;
    return all;
}

void SharedPlaces::on_ready() {
    paused_until_ = {};
    shares_.set_away(false);
    // What is in flight by now is told first, before anything of the rest is granted anew.
    for (auto& [key, book] : books_) book.tells_first = true;
    tell_all();
    pump();
    wake();
}

void SharedPlaces::on_lost() {
    shares_.set_away(true);
    wake();
}

void SharedPlaces::leave() {
    is_leaving_ = true;
    for (auto& [key, book] : books_) look_after(key, book);
    pump();
}

std::uint32_t SharedPlaces::held(std::uint64_t key, const Book& book) const noexcept {
    return std::max(book.granted, table_.count(key));
}

std::uint32_t SharedPlaces::peak(const Book& book) const noexcept {
    return *std::max_element(book.peaks.begin(), book.peaks.end());
}

// A key has another place of the table when it was displaced there, with nothing in flight.
SharedPlaces::Book& SharedPlaces::book_of(std::uint64_t key, routing::PlaceShare& share) {
    Book& book = books_[key];
    if (book.share != nullptr && book.share != &share) release(key, book);
    book.share = &share;
    if (book.granted > 0 && !share.is_of(key)) {
        const std::int64_t rest = std::int64_t{book.most} - book.granted - book.others;
        share.grant(key, {book.granted, count_of(rest)});
    }
    return book;
}

void SharedPlaces::look() {
    std::vector<routing::PlaceShare*> due;
    for (auto* share = shares_.take_due(); share != nullptr;
         share = routing::PlaceShares::next(*share)) {
        due.push_back(share);
    }
    for (auto share = due.rbegin(); share != due.rend(); ++share) {
        const std::uint64_t key = (*share)->key();
        Book& book = book_of(key, **share);
        book.most = (*share)->most();
        book.is_due = true;
        queue(key, book);
    }
    start_ticking();
    pump();
}

void SharedPlaces::start_ticking() {
    if (ticks_ || books_.empty()) return;
    ticks_ = true;
    later(kTick, &SharedPlaces::each_tick);
}

void SharedPlaces::queue(std::uint64_t key, Book& book) {
    if (std::exchange(book.is_queued, true)) return;
    if (!book.is_asked) queue_.push_back(key);
}

void SharedPlaces::tell_all() {
    for (auto& [key, book] : books_) queue(key, book);
}

void SharedPlaces::pump() {
    // What is queued waits for better times: none of its requests does.
    if (queue_.empty() || pumps_later_ || !may_ask()) return;
    const SteadyTime now = timers_->now();
    if (now >= next_send_) send();
    if (queue_.empty()) return;
    pumps_later_ = true;
    later(std::chrono::ceil<std::chrono::milliseconds>(next_send_ - now), &SharedPlaces::pump_late);
}

void SharedPlaces::pump_late() {
    pumps_later_ = false;
    pump();
}

PlaceQuestion SharedPlaces::question_of(std::uint64_t key, Book& book) {
    PlaceQuestion question;
    question.key = key;
    question.most = book.most;
    question.held = held(key, book);
    question.others = book.others;
    question.peak = std::max(peak(book), table_.count(key));
    const bool only_tells = std::exchange(book.tells_first, false);
    question.asks = book.is_due && !only_tells;
    if (question.asks) {
        question.need = std::max<std::int64_t>(book.share->take_lacking(), book.lacks);
        book.lacks = 0;
    }
    return question;
}

void SharedPlaces::send() {
    std::vector<PlaceQuestion> questions;
    while (!queue_.empty() && questions.size() < kMostAtOnce) {
        const std::uint64_t key = queue_.front();
        queue_.pop_front();
        Book& book = books_.at(key);
        book.is_queued = false;
        book.is_asked = true;
        questions.push_back(question_of(key, book));
    }
    sent_ = timers_->now();
    next_send_ = sent_ + kPace;
    ++counts_.questions;
    counts_.keys += questions.size();
    ++asker_.number;
    count_replicas();
    auto keys = place_keys(asker_, questions);
    auto arguments = place_arguments(asker_, questions);
    store_.run(
        place_script(), std::move(keys), std::move(arguments),
        [this, alive = alive_, sent = sent_, asked = std::move(questions)](const Reply& reply) {
            if (*alive) answered(asked, sent, reply);
        });
}

void SharedPlaces::answered(const std::vector<PlaceQuestion>& asked, SteadyTime sent,
                            const Reply& reply) {
    const auto answers = place_answers(reply, asked.size());
    if (answers) {
        heard_ = std::max(heard_, sent);
    } else {
        ++counts_.unanswered;
        if (reply.kind != Reply::Kind::none) {
            paused_until_ = timers_->now() + kErrorPause;
            shares_.set_away(true);
            later(kErrorPause, &SharedPlaces::end_pause);
        }
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        Book& book = books_.at(asked[i].key);
        book.is_asked = false;
        if (answers) take_over(asked[i].key, book, asked[i], answers->places[i]);
        if (!answers && asked[i].asks) settle(asked[i].key, book, 0);
        if (book.is_queued) queue_.push_back(asked[i].key);
    }
    if (answers) {
        const std::int64_t before = std::exchange(began_, answers->began);
        if (before != 0 && before != began_) tell_all();
    }
    pump();
    wake();
}

void SharedPlaces::end_pause() {
    if (!may_ask()) return;
    shares_.set_away(false);
    pump();
    wake();
}

void SharedPlaces::take_over(std::uint64_t key, Book& book, const PlaceQuestion& question,
                             const PlaceAnswer& answer) {
    const SteadyTime now = timers_->now();
    const std::int64_t more = answer.granted - question.held;
    book.told = count_of(answer.granted);
    book.told_at = now;
    book.others = count_of(question.most - answer.rest - answer.granted);
    if (more > 0) book.granted = book.told;
    if (!question.asks && book.is_due) queue(key, book);
    if (!question.asks && !book.share->is_of(key)) return;
    book.share->grant(key, {book.granted, count_of(answer.rest)});
    if (!question.asks) return;
    book.share->set_low(count_of(std::min(question.peak, more) / 4),
                        more > 0 ? SteadyTime() : now + kRefused);
    settle(key, book, question.need - more);
}

// Requests that lack a place go on waiting while others give back what they have to spare.
void SharedPlaces::settle(std::uint64_t key, Book& book, std::int64_t missing) {
    const SteadyTime now = timers_->now();
    if (missing > 0 && !std::exchange(book.looks_again, true)) {
        book.lacks = missing;
        timers_->after(kSecondLook, [this, alive = alive_, key] {
            if (*alive) look_again(key);
        });
        return;
    }
    book.looks_again = false;
    if (missing > 0) {
        book.share->refuse_until(now + kRefused);
    } else {
        book.share->refuse_until(SteadyTime());
    }
    if (std::exchange(book.is_due, false)) book.share->answered();
}

void SharedPlaces::look_again(std::uint64_t key) {
    const auto place = books_.find(key);
    if (place == books_.end() || !place->second.is_due) return;
    queue(key, place->second);
    pump();
}

void SharedPlaces::lower(std::uint64_t key, Book& book, std::uint32_t granted) {
    const std::uint32_t before = std::exchange(book.granted, granted);
    if (book.share->is_of(key)) book.share->lower(granted);
    counts_.given_back += before - std::min(before, held(key, book));
    queue(key, book);
}

void SharedPlaces::each_tick() {
    const SteadyTime now = timers_->now();
    for (auto& [key, book] : books_) look_after(key, book);
    for (auto row = books_.begin(); row != books_.end();) {
        Book& book = row->second;
        const bool is_busy = book.is_due || book.is_queued || book.is_asked;
        const bool is_done = !is_busy && book.told == 0 && held(row->first, book) == 0;
        if (is_done) release(row->first, book);
        row = is_done ? books_.erase(row) : std::next(row);
    }
    if (now - heard_ >= kPlacesGone - kTick) forget_grants();
    pump();
    // The store takes it for alive, and says whether it has lost its books.
    if (!books_.empty() && may_ask() && now - sent_ >= kTick) send();
    ticks_ = false;
    start_ticking();
}

void SharedPlaces::look_after(std::uint64_t key, Book& book) {
    const bool is_here = book.share->is_of(key);
    const std::uint32_t count = table_.count(key);
    std::rotate(book.peaks.rbegin(), book.peaks.rbegin() + 1, book.peaks.rend());
    book.peaks.front() = std::max(is_here ? book.share->take_peak(count) : 0, count);
    if (!may_ask() || (book.is_due && !is_leaving_)) return;
    const std::uint32_t most = peak(book);
    std::uint32_t keeps = most > 0 ? most + 1 + most / 4 : 0;
    if (is_leaving_ || !is_here) keeps = count;
    if (book.granted > keeps) {
        lower(key, book, keeps);
    } else if (book.told != held(key, book) || timers_->now() - book.told_at >= kTold) {
        queue(key, book);
    }
}

// So long without the store that it takes this replica for dead: what was granted is others'.
void SharedPlaces::forget_grants() {
    for (auto& [key, book] : books_) {
        book.granted = 0;
        book.others = 0;
        if (book.share->is_of(key)) book.share->forget();
    }
}

}  // namespace rotary::fleet
