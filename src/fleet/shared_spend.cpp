#include <rotary/fleet/shared_spend.hpp>

#include <utility>

namespace rotary::fleet {

SharedSpend::SharedSpend(Store& store, std::shared_ptr<Timers> timers, Options options)
    : store_(store), timers_(std::move(timers)), options_(std::move(options)) {
    store_.listen(*this);
    each_pause();
}

SharedSpend::~SharedSpend() {
    *alive_ = false;
    store_.unlisten(*this);
}

std::int64_t SharedSpend::day() const {
    return std::chrono::floor<std::chrono::days>(timers_->wall_now()).time_since_epoch().count();
}

std::optional<quota::Nanos> SharedSpend::today() const {
    if (today_ != day()) return std::nullopt;
    return spent_;
}

void SharedSpend::later(std::chrono::milliseconds wait, void (SharedSpend::*work)()) {
    timers_->after(wait, [this, alive = alive_, work] {
        if (*alive) (this->*work)();
    });
}

void SharedSpend::each_pause() {
    look();
    later(kPause, &SharedSpend::each_pause);
}

void SharedSpend::finish(std::function<void()> done) {
    done_ = std::move(done);
    // What it is busy with was read before this.
    looks_again_ = is_busy_;
    look();
}

void SharedSpend::look() {
    if (is_busy_) return;
    if (!store_.is_ready()) return end(false);
    is_busy_ = true;
    if (!options_.ask_days) return tell(std::nullopt);
    control::DaysAsked asked;
    asked.after = told_;
    asked.first = day() - options_.kept_days + 1;
    asked.most = kMostAtOnce;
    // From the ledger's thread.
    asked.then = [this, alive = alive_, timers = timers_](std::optional<control::DayPage> page) {
        timers->post([this, alive, page = std::move(page)]() mutable {
            if (*alive) tell(std::move(page));
        });
    };
    options_.ask_days(std::move(asked));
}

void SharedSpend::tell(std::optional<control::DayPage> page) {
    SpendQuestion question;
    question.name_space = options_.name_space;
    question.currency = options_.currency;
    question.today = day();
    question.now_ms =
        std::chrono::floor<std::chrono::milliseconds>(timers_->wall_now().time_since_epoch())
            .count();
    question.kept_days = options_.kept_days;
    if (page) {
        question.from = told_;
        question.page = std::move(*page);
    }
    auto keys = spend_keys(question);
    auto arguments = spend_arguments(question);
    store_.run(spend_script(), std::move(keys), std::move(arguments),
               [this, alive = alive_, question = std::move(question)](const Reply& reply) {
                   if (*alive) answered(question, reply);
               });
}

void SharedSpend::answered(const SpendQuestion& question, const Reply& reply) {
    const auto answer = spend_answer(reply);
    if (!answer) {
        ++counts_.unanswered;
        looks_again_ = false;
        return end(false);
    }
    today_ = question.today;
    spent_ = answer->today;
    if (answer->mark < question.from) {
        ++counts_.lost;
        told_ = answer->mark;
        if (options_.on_loss) options_.on_loss();
        return end(true);
    }
    if (!question.page.journal.empty()) told_ = question.page.to;
    counts_.told += question.page.sums.size() - answer->refused;
    counts_.refused += answer->refused;
    end(question.page.has_more);
}

void SharedSpend::end(bool has_more) {
    is_busy_ = false;
    if (has_more || std::exchange(looks_again_, false)) {
        later(done_ ? std::chrono::milliseconds(0) : kBetween, &SharedSpend::look);
    } else if (auto done = std::exchange(done_, nullptr)) {
        done();
    }
}

}  // namespace rotary::fleet
