//! The steps of a customer.

use testbed::{Http, HttpAnswer};

pub(crate) const IBAN: &str = "GB82 WEST 1234 5698 7654 32";

pub(crate) trait Customer {
    async fn sign_in(&mut self, name: &str, back: &str) -> HttpAnswer;
    async fn sign_out(&mut self);
    async fn address(&mut self) -> HttpAnswer;
    async fn pay(&mut self, amount: &str) -> HttpAnswer;
    async fn write(&mut self, note: &str) -> HttpAnswer;
    async fn fill_in(&mut self, amount: &str);
    async fn send(&mut self, page: &HttpAnswer) -> HttpAnswer;
}

impl Customer for Http {
    async fn sign_in(&mut self, name: &str, back: &str) -> HttpAnswer {
        let password = if name == "Ada" { "analytical-engine" } else { "bricks-and-mortar" };
        self.submit("/sign-in", &[("name", name), ("password", password), ("back", back)]).await
    }

    async fn sign_out(&mut self) {
        self.submit("/sign-out", &[]).await.leads_to("/sign-in");
    }

    /// To Charles.
    async fn address(&mut self) -> HttpAnswer {
        let page = self.open("/transfer/recipient").await;
        self.submit("/transfer/recipient", &[("name", "Charles"), ("iban", IBAN), ("seen", page.hidden("seen"))]).await
    }

    async fn pay(&mut self, amount: &str) -> HttpAnswer {
        let page = self.open("/transfer/amount").await;
        self.submit("/transfer/amount", &[("amount", amount), ("seen", page.hidden("seen"))]).await
    }

    async fn write(&mut self, note: &str) -> HttpAnswer {
        let page = self.open("/transfer/note").await;
        self.submit("/transfer/note", &[("note", note), ("seen", page.hidden("seen"))]).await
    }

    /// All steps up to the last look.
    async fn fill_in(&mut self, amount: &str) {
        self.address().await.has_status(303);
        self.pay(amount).await.has_status(303);
        self.write("").await.leads_to("/transfer/confirm");
    }

    /// Sends what this page shows.
    async fn send(&mut self, page: &HttpAnswer) -> HttpAnswer {
        self.submit("/transfer/confirm", &[("seen", page.hidden("seen"))]).await
    }
}
