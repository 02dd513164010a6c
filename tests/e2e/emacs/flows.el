;;; flows.el --- What an Emacs user lives through, written down  -*- lexical-binding: t; -*-

;; Run with `emacs -Q --batch -L editors/emacs -l flows.el -f flow-NAME'.  The Rust side
;; (tests/e2e/emacs.rs) judges the record.
;; Environment: E2E_SERVER (the binary), E2E_FILE, E2E_FUNCTION, E2E_RESULT (file to write).

(require 'package)
(package-initialize)
(require 'cl-lib)
(require 'json)
(require 'zeroerr)

(setq zeroerr-command (list (getenv "E2E_SERVER") "lsp")
      make-backup-files nil
      create-lockfiles nil)

(defvar flow-record nil)
(defvar flow-steps nil)
(defvar flow-messages nil)
(defvar flow-patience (string-to-number (getenv "E2E_PATIENCE")))

(defun flow-keep (key value) (push (cons key value) flow-record))
(defun flow-step (text) (push text flow-steps))
(defun flow-lines () (vconcat (split-string (string-trim-right (buffer-string) "\n") "\n")))

(advice-add 'eglot--message :before
            (lambda (format &rest args)
              (let ((text (substring-no-properties (apply #'format format args))))
                (push text flow-messages)
                (flow-step (concat "message: " text)))))

;; Eglot asks before each edit that a server begins; the user says yes.
(advice-add 'y-or-n-p :override (lambda (question) (flow-step (concat "asked: " question)) t))

(defun flow-leave (failure)
  (flow-keep 'failure (or failure :json-null))
  (flow-keep 'steps (vconcat (nreverse flow-steps)))
  (flow-keep 'messages (vconcat (nreverse flow-messages)))
  (flow-keep 'final_buffer (flow-lines))
  (let ((coding-system-for-write 'utf-8)
        (json-null :json-null))
    (write-region (json-encode flow-record) nil (getenv "E2E_RESULT")))
  (let ((server (eglot-current-server)))
    (when server (eglot-shutdown server)))
  (kill-emacs (if failure 1 0)))

(defun flow-wait (what seconds probe)
  "Wait until PROBE answers; meanwhile do what idle timers do: batch mode is never idle."
  (let ((end (+ (float-time) seconds)) got)
    (while (not (setq got (funcall probe)))
      (when (> (float-time) end) (flow-leave (format "waited %s s for %s" seconds what)))
      (accept-process-output nil 0.05)
      (when eglot--managed-mode (eglot--signal-textDocument/didChange)))
    (flow-step (concat "seen: " what))
    got))

(defun flow-open ()
  (find-file (getenv "E2E_FILE"))
  (unless (derived-mode-p 'python-mode) (python-mode))
  (apply #'eglot (eglot--guess-contact))
  (flow-wait "the server to attach" 60 (lambda () eglot--managed-mode)))

(defun flow-goto (text)
  (goto-char (point-min))
  (search-forward text)
  (goto-char (match-beginning 0)))

(defun flow-choose (title)
  "Pick the code action whose title begins with TITLE from the real menu."
  (let ((last-nonmenu-event ?a))
    (cl-letf (((symbol-function 'completing-read)
               (lambda (_ offered &rest _)
                 (let ((titles (mapcar #'car offered)))
                   (flow-step (format "offered: %s" (string-join titles ", ")))
                   (or (cl-find-if (lambda (offer) (string-prefix-p title offer)) titles)
                       (flow-leave (format "no action %s" title)))))))
      (eglot-code-actions (point) nil nil t))))

(defun flow-said (text)
  (cl-some (lambda (message) (string-match-p (regexp-quote text) message)) flow-messages))

(defun flow-implement ()
  (flow-open)
  (let ((before (buffer-string)))
    (flow-goto (concat "def " (getenv "E2E_FUNCTION")))
    (undo-boundary)
    (flow-choose "Implement with verified code")
    (flow-wait "the function to be written" flow-patience
               (lambda () (not (equal before (buffer-string)))))
    (flow-keep 'after (flow-lines))
    ;; As the command loop does between commands.
    (undo-boundary)
    (setq last-command nil)
    (undo)
    (flow-keep 'undone_is_the_original (if (equal before (buffer-string)) t :json-false)))
  (flow-leave nil))

(defun flow-stale ()
  (flow-open)
  (flow-goto "def total")
  (flow-choose "Implement with verified code")
  (flow-goto "...")
  (delete-char 3)
  (insert "return 7  # mine")
  (let ((mine (buffer-string)))
    (flow-wait "the edit to be given up" flow-patience (lambda () (flow-said "was changed")))
    (accept-process-output nil 0.5)
    (flow-keep 'untouched (if (equal mine (buffer-string)) t :json-false)))
  (flow-leave nil))

(defun flow-cancel ()
  (flow-open)
  (let ((before (buffer-string)))
    (flow-goto "def total")
    (zeroerr-implement)
    (zeroerr-status)
    (flow-wait "the run in the status" 60 (lambda () (flow-said "total")))
    (zeroerr-cancel)
    (flow-wait "the end" 60 (lambda ()
                              (setq flow-messages nil)
                              (zeroerr-status)
                              (flow-wait "the status" 20 (lambda () flow-messages))
                              (flow-said "nothing is running")))
    (flow-keep 'untouched (if (equal before (buffer-string)) t :json-false)))
  (flow-leave nil))

;;; flows.el ends here
